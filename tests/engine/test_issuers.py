"""OIDC issuers that endpoints trust: asked for no more than is safe, and kept fresh."""

from __future__ import annotations

from dataclasses import replace

import pytest
from trusting import grounds

from windlass.core.errors import BadDelivery, NotFound, UnknownKey, UserError
from windlass.engine.hooks import ANCHOR, hook_of
from windlass.engine.issuers import AGAIN, APART, EVERY, Issuers
from windlass.engine.requests.trust import TrustChange
from windlass.ports.records import Audit, Repository
from windlass.reach import Reach
from windlass.testing.servers.serving import Reply


@pytest.fixture
def ground(tmp_path):
    """Run a story on ground of its own."""
    return grounds(tmp_path)


def test_a_token_is_trusted_from_the_moment_of_connecting(ground):
    """The keys are read before anything is stored, and the webhook secret goes on to sign."""

    async def work(here):
        added = await here.add()
        assert await here.trusts(here.token())
        assert not added.repository.polling
        assert hook_of(here.world, added.repository).secret == here.world.vault.get(
            "webhook", "deploys"
        )
        for wrong in ({"aud": "x"}, {"repository": "eve/shop"}, {"exp": here.clock.now() - 90}):
            with pytest.raises(BadDelivery):
                await here.trusts(here.token(**wrong))

    ground(work)


def test_a_trust_is_changed_while_it_is_connected(ground):
    """At once, with what was not named; and is taken away as fast."""

    async def work(here):
        await here.add()
        change = TrustChange(claims={"repository": ("acme/web",)})
        after = await here.requests.set_trust("deploys", change, by="ada")
        assert (after.issuer, after.audience) == (here.issuer.url, "windlass")
        assert await here.requests.trust("deploys") == after
        assert await here.trusts(here.token(repository="acme/web"))
        with pytest.raises(BadDelivery):
            await here.trusts(here.token())
        await here.later(EVERY)  # nor does a later look bring back what was trusted before
        with pytest.raises(BadDelivery):
            await here.trusts(here.token())
        await here.requests.set_trust("deploys", TrustChange(issuer=""), by="ada")
        await here.later(EVERY)
        with pytest.raises(BadDelivery):
            await here.trusts(here.token(repository="acme/web"))
        audits = await here.world.store.read(lambda tx: tx.find(Audit, what="set trust"))
        assert [one.subject for one in audits] == ["deploys", "deploys"]
        assert audits[1].detail.endswith("repository=acme/web -> nobody")

    ground(work)


def test_a_change_that_trusts_too_much_changes_nothing(ground):
    """The same is asked of a trust as when it is connected."""

    async def work(here):
        await here.add()
        for change in (TrustChange(claims={}), TrustChange(audience="")):
            with pytest.raises(UserError):
                await here.requests.set_trust("deploys", change, by="ada")
        assert await here.trusts(here.token())
        with pytest.raises(NotFound):
            await here.requests.trust("nowhere")

    ground(work)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"claims": {}}, "any workflow of http://127.0.0.1:.* would be trusted"),
        ({"claims": {"iss": ("x",)}}, "does not say who asks"),
        ({"claims": {"aud": ("windlass",), "sub": ("x",)}}, "aud does not say who asks"),
        ({"claims": {"ref": ("refs/heads/main",), "actor_id": ("7",)}}, "claimed by anybody at"),
        ({"claims": {"sub": ("",)}}, "no value"),
        ({"claims": {"sub": ()}}, "no value"),
        ({"audience": ""}, "somebody else"),
        ({"issuer": ""}, "which issuer"),
        ({"issuer": "file:///etc/passwd"}, "no issuer"),
    ],
)
def test_a_trust_that_is_too_wide_is_refused(ground, changed, words):
    """Before the issuer is asked or anything is stored, and it says why."""

    async def work(here):
        with pytest.raises(UserError, match=words):
            await here.add(**changed)
        assert here.asked == 0
        assert await here.record(Repository) is None

    ground(work)


def test_a_forge_that_signs_takes_no_tokens(ground):
    """The trust belongs to signed posts alone."""

    async def work(here):
        with pytest.raises(UserError, match="bring no token") as caught:
            await here.add(forge="plain")
        assert "--forge generic" in caught.value.hint

    ground(work)


def test_an_issuer_inside_is_not_asked(ground):
    """S-30: unless the operator names it, no private address is spoken to, and nothing stored."""

    async def work(here):
        with pytest.raises(UserError, match="without TLS"):
            await here.add()
        assert here.issuer.calls == []
        assert await here.record(Repository) is None

    ground(work, reach=Reach())


def test_keys_are_read_every_hour(ground):
    """Not before, once for all who trust the issuer, and what an issuer gave up is not trusted."""

    async def work(here):
        await here.add()
        await here.add("other")
        first = here.asked
        old, token = here.issuer.key, here.token()
        here.issuer.rotate()
        await here.later(EVERY - 1)
        assert here.asked == first
        await here.later(2)
        assert here.asked == first + 1
        assert here.changes == [1, 1]
        for name in ("deploys", "other"):
            assert await here.trusts(here.token(), name)
        with pytest.raises(UnknownKey):
            await here.trusts(here.token(key=old))
        with pytest.raises(UnknownKey):
            await here.trusts(token)
        await here.later(EVERY + 1)
        assert here.asked == first + 2
        assert here.changes == [1, 1]  # the same keys are nothing new

    ground(work)


def test_an_unknown_key_is_looked_for_soon(ground):
    """Not more than once a minute for one issuer, however many tokens nobody knows come."""

    async def work(here):
        await here.add()
        await here.add("other")
        first = here.asked
        here.issuer.rotate()
        with pytest.raises(UnknownKey):
            await here.trusts(here.token())
        for _ in range(5):
            here.issuers.unknown_key("deploys")
            await here.later(APART / 6)
        assert here.asked == first
        await here.later(APART / 3)
        assert here.asked == first + 1
        assert not here.issuers.wished
        assert await here.trusts(here.token())
        for _ in range(60):
            here.issuers.unknown_key("other")
            await here.later(10)
        assert here.asked <= first + 11

    ground(work)


def test_an_issuer_that_does_not_answer_keeps_its_keys(ground):
    """Old keys count, doctor says why and what to do, and it is asked again in minutes."""

    async def work(here):
        await here.add()
        assert (await here.finding()).passed
        here.issuer.faults += [Reply(503)]
        await here.later(EVERY + 120)
        assert await here.trusts(here.token())
        found = await here.finding()
        assert "its keys were read 62 min ago, and not 0 s ago: GET 127.0.0.1" in found.said
        assert "was answered 503" in found.said
        assert "keys that it had count" in found.fix
        await here.later(AGAIN - 1)
        assert not (await here.finding()).passed
        await here.later(2)
        found = await here.finding()
        assert found.passed
        assert found.said == "deploys trusts its tokens; its keys were read 0 s ago"

    ground(work)


def test_an_issuer_without_keys_takes_no_trust_away(ground):
    """An answer that holds none that we could use is a failure, like none at all."""

    async def work(here):
        await here.add()
        good, here.issuer.set = here.token(), {"keys": [{"kty": "oct", "k": "x"}]}
        await here.later(EVERY + 1)
        assert "has no key" in (await here.record()).problem
        here.issuer.said["issuer"] = "https://evil.example"
        await here.later(AGAIN + 1)
        assert "calls itself" in (await here.record()).problem
        here.clock.time -= EVERY + AGAIN + 2
        assert await here.trusts(good)

    ground(work)


def test_a_clock_that_was_set_back_does_not_keep_old_keys(ground):
    """A time that lies ahead is no reason to wait for it."""

    async def work(here):
        await here.add()
        first = here.asked
        await here.later(-86400)
        assert here.asked == first + 1

    ground(work)


def test_trust_ends_with_the_connection(ground):
    """The issuer of a repository that was disconnected is asked no more, and trusted no more."""

    async def work(here):
        await here.add()
        await here.requests.remove_repository("deploys", by="ada")
        first = here.asked
        here.issuers.unknown_key("deploys")
        await here.later(EVERY + 1)
        assert here.asked == first
        assert not here.issuers.wished
        await here.add(issuer=None)
        assert not here.world.vault.get(ANCHOR, "deploys")
        with pytest.raises(BadDelivery):
            await here.trusts(here.token())
        await here.later(EVERY + 1)
        assert here.asked == first

    ground(work)


def test_trust_that_changed_while_its_issuer_was_asked_stays_changed(ground):
    """Keys that come late do not bring back what was taken away meanwhile."""

    async def work(here):
        await here.add()
        reader = here.world.forges["generic"].anchors

        class Slow:
            """Somebody changes the trust while the issuer is asked."""

            async def keys(self, issuer):
                found = await reader.keys(issuer)
                gone = replace(await here.record(), claims={"repository": ("acme/other",)})
                await here.world.store.transaction(lambda tx: tx.save(gone))
                here.world.vault.put(ANCHOR, "deploys", b"")
                return found

            def anchor(self, trust, keys):
                return reader.anchor(trust, keys)

        slow = replace(here.world.forges["generic"], anchors=Slow())
        world = replace(here.world, forges={**here.world.forges, "generic": slow})
        here.clock.time += EVERY + 1
        await Issuers(world).look()
        assert not here.world.vault.get(ANCHOR, "deploys")

    ground(work)


def test_trust_that_was_narrowed_while_its_keys_were_stored_stays_narrow(ground):
    """Whoever is last, nobody is trusted whom the change took away."""

    async def work(here):
        await here.add(claims={"repository": ("acme/shop", "acme/web")})
        assert await here.trusts(here.token(repository="acme/web"))
        store = here.issuers._renew

        async def late(asked, anchor):
            here.issuers._renew = store
            narrow = TrustChange(claims={"repository": ("acme/shop",)})
            await here.requests.set_trust("deploys", narrow, by="ada")
            await store(asked, anchor)

        here.issuers._renew = late
        await here.later(EVERY)
        with pytest.raises(BadDelivery):
            await here.trusts(here.token(repository="acme/web"))
        await here.later(EVERY)
        assert await here.trusts(here.token(repository="acme/shop"))

    ground(work)
