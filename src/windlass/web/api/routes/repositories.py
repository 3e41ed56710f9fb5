"""
Repositories. A name may hold slashes; it stands in the path as it is, or URL-encoded.
"""

from __future__ import annotations

from fastapi import APIRouter

from windlass.engine.requests.repositories import Connect, PolicyChange
from windlass.web.api.asking import Actor, With
from windlass.web.api.models.repositories import (
    AddAsk,
    AddedAnswer,
    HookAnswer,
    PolicyAnswer,
    PolicyAsk,
    RecoveredAnswer,
    RepositoryAnswer,
    RotatedAnswer,
    SecretAnswer,
    TokenAsk,
    TrustAnswer,
    TrustAsk,
)
from windlass.web.api.models.shape import Listed
from windlass.web.views.runs import list_repositories

router = APIRouter(tags=["repositories"])


@router.get("/repositories", operation_id="listRepositories")
async def every(parts: With) -> Listed[RepositoryAnswer]:
    """All repositories, by name."""
    found = await parts.store.read(list_repositories)
    return Listed(items=[RepositoryAnswer.of(record) for record in found])


@router.post("/repositories", operation_id="addRepository", status_code=201)
async def add(ask: AddAsk, parts: With, actor: Actor) -> AddedAnswer:
    """Connect a repository, put its webhook in place, and prove that it arrives."""
    wanted = Connect(
        url=ask.url,
        name=ask.name,
        forge=ask.forge,
        token=ask.token.get_secret_value(),
        polling=ask.polling,
        trust=ask.oidc.trust() if ask.oidc else None,
    )
    done = await parts.requests.add_repository(wanted, by=actor)
    return AddedAnswer(
        repository=RepositoryAnswer.of(done.repository),
        hook=HookAnswer.of(done.hook),
        webhook=f"/hooks/{done.repository.endpoint}",
        ping=done.ping,
    )


@router.post("/tokens", operation_id="storeToken", status_code=204)
async def token(ask: TokenAsk, parts: With, actor: Actor) -> None:
    """Store the token for a repository's address, or for a whole code host."""
    await parts.requests.store_token(ask.url, ask.token.get_secret_value(), by=actor)


@router.post("/repositories/{name:path}/rotate", operation_id="rotateSecret")
async def rotate(name: str, parts: With, actor: Actor) -> RotatedAnswer:
    """A new webhook secret, given to the code host; the one before stays valid for a day."""
    return RotatedAnswer.rotated(await parts.requests.rotate_secret(name, by=actor))


@router.post("/repositories/{name:path}/check", operation_id="checkRepository")
async def check(name: str, parts: With) -> HookAnswer:
    """Whether the webhook is there and sends to us; a broken one is put right."""
    return HookAnswer.of(await parts.requests.check_repository(name))


@router.post("/repositories/{name:path}/secret", operation_id="showSecret")
async def secret(name: str, parts: With, actor: Actor) -> SecretAnswer:
    """The secret that webhooks are signed with, for a forge where a person enters it."""
    return SecretAnswer(secret=await parts.requests.webhook_secret(name, by=actor))


@router.post("/repositories/{name:path}/recover", operation_id="recoverRepository")
async def recover(name: str, parts: With) -> RecoveredAnswer:
    """Ask the forge for what no webhook brought."""
    return RecoveredAnswer(found=await parts.requests.recover(name))


@router.get("/repositories/{name:path}/trust", operation_id="showTrust")
async def trust(name: str, parts: With, _actor: Actor) -> TrustAnswer:
    """The OIDC issuer whose tokens are taken in place of a signature."""
    return TrustAnswer.of(await parts.requests.trust(name))


@router.post("/repositories/{name:path}/trust", operation_id="setTrust")
async def set_trust(name: str, ask: TrustAsk, parts: With, actor: Actor) -> TrustAnswer:
    """Change whose tokens are taken; the keys of the issuer are read now, so it has to answer."""
    return TrustAnswer.of(await parts.requests.set_trust(name, ask.change(), by=actor))


@router.get("/repositories/{name:path}/policy", operation_id="showPolicy")
async def policy(name: str, parts: With) -> PolicyAnswer:
    """What the operator allows a repository."""
    return PolicyAnswer.of(await parts.requests.repository(name))


@router.post("/repositories/{name:path}/policy", operation_id="setPolicy")
async def set_policy(name: str, ask: PolicyAsk, parts: With, actor: Actor) -> PolicyAnswer:
    """Change what is allowed to a repository; it holds for what starts from now on."""
    wanted = PolicyChange(
        require_digest=ask.require_digest,
        allow_images=None if ask.allow_images is None else tuple(ask.allow_images),
        allow_forks=None if ask.allow_forks is None else tuple(ask.allow_forks),
    )
    return PolicyAnswer.of(await parts.requests.set_policy(name, wanted, by=actor))


@router.delete("/repositories/{name:path}", operation_id="removeRepository", status_code=204)
async def remove(name: str, parts: With, actor: Actor) -> None:
    """Disconnect a repository; what it did stays on record."""
    await parts.requests.remove_repository(name, by=actor)
