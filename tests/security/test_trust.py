"""S-12 to S-20: who gets where, when somebody tries it by another way."""

from __future__ import annotations

import pytest
from harness import NAME
from playing import BUILD, STRANGER, every, play, runs

from windlass.config.schema import faults
from windlass.core.errors import Conflict, NotAllowed, UserError
from windlass.core.event import Event, Kind
from windlass.engine.names import log_key
from windlass.ports.forge import Permission
from windlass.ports.records import Deployment

CHECKED = """\
listeners:
  check: {on: pull_request, do: [{pipeline: ci}]}
pipelines:
  ci: {jobs: {test: {steps: [{run: sh check.sh}]}}}
environments:
  production:
    {target: {directory: {path: /srv/production}}, branches: [main], approval: {approvers: [bob]}}
"""
TAKEN_OVER = """\
listeners:
  check:
    {on: pull_request, do: [{pipeline: ci}, {build: api}, {deploy: api, environment: production}]}
  mine: {on: pull_request, do: [{pipeline: ci}]}
pipelines:
  ci:
    jobs:
      test: {env: {KEY: {from_secret: deploy-key}}, steps: [{run: "echo $KEY > FOLDER/stolen"}]}
services: {api: {build: {steps: [{run: "mkdir dist; echo > dist/a"}], artifacts: [dist/]}}}
environments:
  production: {target: {directory: {path: /srv/production}}}
"""


def test_s12_a_fork_that_edits_the_pipeline_gets_nothing(tmp_path):
    """Listeners and environments are the base's; it is held, and released it sees no secret."""

    async def work(here, story):
        here.world.vault.put("deploy-key", NAME, b"s3cr3t")
        edited = TAKEN_OVER.replace("FOLDER", str(tmp_path))
        await story.play([{"open": {**STRANGER, "files": {".windlass.yaml": edited}}}])
        (run,) = await runs(here)
        assert (run.listener, run.state, list(run.jobs)) == ("check", "held", ["ci/test"])
        await story.play([{"ask": {"what": "release", "run": 1, "by": "bob"}}])
        (run,) = await runs(here)
        assert run.state == "failed"
        assert "strangers' code gets no secrets" in run.jobs["ci/test"].reason
        assert not (tmp_path / "stolen").exists()
        assert await every(here, Deployment) == []

    play(tmp_path, CHECKED, work, processes=True, sandboxed=True)


def test_s13_a_fork_that_edits_a_script_of_the_pipeline_is_held_too(tmp_path):
    """The pipeline is as it was, and what it calls is the stranger's: nothing of it runs."""

    async def work(here, story):
        files = {"check.sh": f"touch {tmp_path}/pwned\n"}
        await story.play([{"open": {**STRANGER, "files": files}}])
        assert [str(one.state) for one in await runs(here)] == ["held"]
        await story.play([{"ask": {"what": "release", "run": 1, "by": "bob"}}])
        (run,) = await runs(here)
        assert "needs a sandbox" in run.jobs["ci/test"].reason
        assert not (tmp_path / "pwned").exists()

    play(tmp_path, CHECKED, work, processes=True)


def test_s13_a_released_script_of_a_fork_runs_where_nothing_else_is(tmp_path):
    """It does its work on the merged tree with its history, and reaches nothing of the server."""

    async def work(here, story):
        script = f"""\
            git log -1 --format=%s
            (: > {tmp_path}/pwned; : > /usr/pwned) 2>/dev/null && echo wrote
            seen=$(ls -d {tmp_path}/windlass.db {tmp_path}/jobs {tmp_path}/shop.git 2>/dev/null)
            echo "seen=${{seen:-nothing}}" >> "$WINDLASS_OUTPUT"
            """
        files = {"check.sh": script}
        await story.play([{"open": {**STRANGER, "files": files}}])
        await story.play([{"ask": {"what": "release", "run": 1, "by": "bob"}}])
        (run,) = await runs(here)
        assert run.state == "succeeded"
        assert run.jobs["ci/test"].outputs == {"seen": "nothing"}
        assert not (tmp_path / "pwned").exists()
        said = here.world.logs.read(log_key(1, "ci/test", 1)).data.decode()
        assert "wrote" not in said
        assert "Merge" in said

    play(tmp_path, CHECKED, work, processes=True, sandboxed=True)


def test_s17_a_pull_request_that_writes_a_deploy_into_its_pipeline_is_refused(tmp_path):
    """A colleague's, not yet reviewed: the rules are those of the default branch."""

    async def work(here, story):
        edited = (
            (CHECKED + BUILD)
            .replace(
                "{jobs: {test: {steps: [{run: sh check.sh}]}}}",
                "{jobs: {build: {build: api}, go: {needs: [build], deploy: api,"
                " environment: production}}}",
            )
            .replace("branches: [main], ", "")
        )
        await story.play(
            [
                {
                    "open": {
                        **STRANGER,
                        "fork": False,
                        "by": "ada",
                        "files": {".windlass.yaml": edited},
                    }
                }
            ]
        )
        (run,) = await runs(here)
        assert run.state == "failed"
        assert "topic" in run.jobs["ci/go"].reason
        assert here.target.applied == []

    play(tmp_path, CHECKED, work)


TAGGED = """\
listeners:
  version: {on: tag, tags: ["v*"], do: [{build: api}, {deploy: api, environment: production}]}
environments:
  production: {target: {directory: {path: /srv/p}}, approval: {approvers: [bob, cleo], min: 2}}
"""


def test_s17_a_tag_that_is_moved_after_the_approval_moves_nothing(tmp_path):
    """What was approved is one commit and one digest; the moved tag has to be approved anew."""

    async def work(here, story):
        await story.play(
            [{"tag": {"name": "v1"}}, {"ask": {"what": "approve", "deployment": 1, "by": "bob"}}]
        )
        (asked,) = await every(here, Deployment)
        await story.play([{"push": {"branch": "main", "files": {"app.txt": "evil"}}}])
        await story.play(
            [{"tag": {"name": "v1"}}, {"ask": {"what": "approve", "deployment": 1, "by": "cleo"}}]
        )
        first, second = await every(here, Deployment)
        assert first.digest == asked.digest != second.digest
        assert (second.approvals, second.state) == ((), "approval")
        assert here.target.applied == []

    play(tmp_path, TAGGED, work)


@pytest.mark.parametrize(
    "name", ["Production", "production ", "pr\u043eduction", "\uff50roduction", "produc\u00adtion"]
)
def test_s17_a_name_that_looks_like_an_environments_is_none(tmp_path, name):
    """By case, alphabet, a wide letter or one that is not seen: refused by file and by request."""
    target = "{target: {directory: {path: /a}}}"
    twin = f"environments: {{production: {target}, {name!r}: {target}}}\n"
    assert "wrong-name" in {one.code for one in faults({".windlass.yaml": twin.encode()})}

    async def work(here, _story):
        with pytest.raises(UserError, match="environment"):
            await here.requests.deploy(NAME, "api", name, by="bob")
        assert await every(here, Deployment) == []

    play(tmp_path, TAGGED, work)


def test_s18_who_is_an_approver_no_more_does_not_count_any_more(tmp_path):
    """Consent is counted when it is acted on, by the rules of that moment; two clicks are one."""

    async def work(here, story):
        await story.play([{"tag": {"name": "v1"}}])
        for _ in range(2):
            await here.requests.approve(1, by="bob")
        await here.settle()
        (asked,) = await every(here, Deployment)
        assert (asked.approvals, asked.state) == (("bob",), "approval")
        fewer = (TAGGED + BUILD).replace("[bob, cleo]", "[cleo, dan]")
        await story.play([{"push": {"branch": "main", "files": {".windlass.yaml": fewer}}}])
        await here.requests.approve(1, by="cleo")
        with pytest.raises(NotAllowed, match="not among the approvers"):
            await here.requests.approve(1, by="bob")
        await here.wait(10.0)
        (asked,) = await every(here, Deployment)
        assert asked.state == "approval"
        await here.requests.approve(1, by="dan")
        await here.settle()
        assert [one.state for one in await every(here, Deployment)] == ["succeeded"]

    play(tmp_path, TAGGED, work)


PUSHED = """\
listeners:
  feature: {on: push, branches: ["FB*"], do: [{build: api}, {deploy: api, environment: dev}]}
  other: {on: push, branches: ["other"], do: [{build: api}]}
environments: {dev: {target: {directory: {path: /srv/dev}}}}
"""


def test_s19_nobody_rolls_back_to_what_never_ran_there(tmp_path):
    """Neither to a digest that nobody knows, nor to a build that went elsewhere."""

    async def work(here, story):
        await story.play(
            [
                {"push": {"branch": "FB1", "files": {"app.txt": "two"}}},
                {"push": {"branch": "other", "files": {"app.txt": "three"}}},
            ]
        )
        elsewhere = (await runs(here))[1].jobs["build-api"].outputs["digest"]
        for digest in (elsewhere, "sha256:" + "0" * 64):
            with pytest.raises(Conflict, match="never ran as api in dev"):
                await here.requests.rollback(NAME, "api", "dev", digest=digest, by="bob")
        with pytest.raises(UserError, match="begins every digest"):
            await here.requests.rollback(NAME, "api", "dev", digest="sha256:", by="bob")
        assert len(await every(here, Deployment)) == 1

    play(tmp_path, PUSHED, work)


def test_s20_a_maintainers_name_gives_a_stranger_nothing(tmp_path):
    """Git's author and every name are Ada's, who may write; the forge's ids are the stranger's."""

    async def work(here, story):
        assert await here.forge.permission(here.url, "ada") is Permission.WRITE
        await story.play([{"open": STRANGER}])
        head = here.origin.at("refs/heads/topic")
        assert "Ada <ada@example.org>" in here.origin.git("cat-file", "-p", head)
        said = {"author": "ada", "sender": "ada", "author_id": "eve", "sender_id": "eve"}
        await here.deliver(
            Event(
                kind=Kind.PULL_REQUEST, action="reopened", repository=NAME, number=7, sha=head,
                head_sha=head, head="topic", base="main", fork=True, title="ada", **said,
            )
        )  # fmt: skip
        await here.settle()
        found = await runs(here)
        assert [(str(one.state), one.trusted) for one in found] == [("held", False)] * 2

    play(tmp_path, CHECKED, work)
