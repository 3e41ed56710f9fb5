"""
Every code of an error, and what to do about it.

What a code means is said where it is raised; here stands the next step of the
person who meets it. tests/docs looks for every code in the source.
"""

from __future__ import annotations

from collections.abc import Mapping

# Code -> what to do about it.
CONFIGURATION: Mapping[str, str] = {
    "cycle": "take one `needs`, `pipeline` or `promote_from` of the circle away",
    "duplicate-name": "rename one of the two; both places are named",
    "encoding": "save the file as UTF-8",
    "expression": "mend the expression at the place; what it may see is named",
    "expression-here": "put the value into `env` or `with`, where it is replaced",
    "expression-in-run": 'write `env: {NAME: "${{ ... }}"}` and use `"$NAME"` in the script',
    "file-name": "rename the file",
    "fixture": "mend the listener, or what is expected of it; the line says why it missed",
    "missing-file": "name a file that is there, from the folder of the test",
    "missing-key": "add the key that is named",
    "not-available": "take the key away, or do what the hint offers instead",
    "one-of": "keep one of the keys that are named",
    "pointless": "take the key away, or move it to where it has a meaning",
    "synonym": "nothing, or `windlass lint --fix`",
    "synonym-twice": "keep our word, take the other one away",
    "two-places": "keep the folder or the file, not both",
    "unknown-key": "see the hint for the nearest key, or the tables above it in this reference",
    "unknown-name": "see the hint for the nearest name, or define it",
    "wrong-name": "begin with a letter; letters, digits, `-` and `_` are taken",
    "wrong-type": "write a value of the kind that is expected",
    "wrong-value": "write one of the values that are named",
    "yaml-alias": "name the anchor before, and not from inside itself",
    "yaml-documents": "take the `---` away, or make two files",
    "yaml-duplicate": "keep one of the two",
    "yaml-key": "use a plain text as key",
    "yaml-merge": "write the keys out, or use an alias for a whole value",
    "yaml-size": "make the file smaller; a configuration is 1 MiB at most",
    "yaml-syntax": "look at the line before the place as well: often a quote or a colon",
    "yaml-tag": "take the tag away, or put the text in quotes",
}

# Code -> (what happened, what to do about it): errors of the server and the command line.
ERRORS: Mapping[str, tuple[str, str]] = {
    "address": ("an address is none that can be asked", "write it as https://HOST/PATH"),
    "address-plain": (
        "a host would be spoken to without TLS",
        "use https, or name the host in the setting `private_hosts`",
    ),
    "address-private": (
        "a host has an address that is not public",
        "if it is yours, name it in the setting `private_hosts`",
    ),
    "forge-denied": (
        "a code host does not let the token do this",
        "store one with the rights that its how-to names: `windlass repo token URL`",
    ),
    "forge-unknown": (
        "it cannot be told which code host an address is on",
        "say it with `--forge`",
    ),
    "plugin": (
        "a package that brings a code host cannot be used",
        "take it away, or see what it needs",
    ),
    "oidc": (
        "an OIDC issuer would be trusted for too much, or where no token is taken",
        "name the issuer, the audience and at least one claim that says who asks",
    ),
    "ping": (
        "a code host was asked for a ping, and it did not arrive",
        "see what `windlass doctor` says of the address",
    ),
    "token": ("a token is too short, or has odd characters in it", "copy it again, on one line"),
    "bad-request": ("the request could not be understood", "see the message for the field"),
    "bug": ("something in Windlass is wrong", "look in the server's log, and report it"),
    "changed-meanwhile": ("somebody else changed it first", "look at it again, then repeat"),
    "config": ("the configuration has faults", "mend each fault; `windlass lint` shows the same"),
    "conflict": ("something else stands in the way", "see the message for what it is"),
    "delivery-differs": (
        "a delivery with a known id came with another body",
        "nothing; the first one counts. Look at who sends if it happens again",
    ),
    "folder-in-use": (
        "another server holds the data folder",
        "stop that one, or name another folder with `--data`",
    ),
    "foreign-database": (
        "the file `windlass.db` belongs to another program",
        "move it away, or name another folder with `--data`",
    ),
    "git-address": ("an address that Git is not let near", "use an absolute path or `https://`"),
    "git-commit-id": ("it is no whole commit id", "give all 40 or 64 hexadecimal digits"),
    "git-no-commit": ("the repository has no such commit", "push it, or look for its new id"),
    "git-not-a-repository": ("the path is no Git repository", "see the path in the message"),
    "git-path-not-registered": (
        "the path is not connected",
        "connect it first: `windlass repo add PATH`",
    ),
    "git-ref": ("it cannot be the name of a branch or tag", "see the message for the reason"),
    "git-ref-gone": ("the branch or commit is gone", "it was deleted or rewritten; push again"),
    "git-symlink": ("a file of the repository is a symbolic link", "commit the file itself"),
    "git-too-large": ("a file is larger than what is read", "make it smaller"),
    "host": (
        "the server does not answer to that host name",
        "use the address it was started with, or set `public_url`",
    ),
    "key-file": (
        "the key file of the vault cannot be used",
        "as it says: `chmod 600`, or restore it from a backup",
    ),
    "key-taken": (
        "an `Idempotency-Key` came before with another wish",
        "make a new key for a new wish",
    ),
    "later": ("something outside failed for now", "it is tried again; so may you"),
    "media-type": ("the body is of another kind", "send JSON"),
    "method": ("the address does not take that method", "see [api.md](api.md)"),
    "newer-database": (
        "a newer Windlass wrote the database",
        "install that version again, or restore the backup from before the upgrade",
    ),
    "no-sandbox": (
        "every job shall run in a sandbox, and this machine makes none",
        "install bubblewrap, or set `sandbox` to `strangers`",
    ),
    "no-value": ("an expression has no value for this event", "see the hint for a default"),
    "not-a-repository": ("the path is no Git repository", "give the path of a bare repository"),
    "not-allowed": ("this person may not do this", "ask somebody who may"),
    "not-bare": (
        "the path is a work tree",
        "`git clone --bare PATH PATH.git`, and connect that",
    ),
    "not-found": ("there is no such thing", "the hint names the command that lists what there is"),
    "not-signed-in": (
        "it needs a token",
        "`WINDLASS_TOKEN_FILE`, or `Authorization: Bearer TOKEN`; `windlass help server`",
    ),
    "outside": ("something outside refused for good", "see the message; mend it there"),
    "settings": ("a setting is wrong", "`windlass settings` shows each and where it came from"),
    "slow": ("the request did not arrive in time", "send it again, faster"),
    "state-moved": (
        "somebody committed to the state repository first",
        "nothing; it is fetched, asked again and retried",
    ),
    "state-path": (
        "a name would leave its folder in the state repository",
        "rename the repository, environment or service",
    ),
    "state-trailer": (
        "a value would not be one line in a commit of the state repository",
        "take line ends and outer spaces out of it",
    ),
    "too-long": ("the address is longer than any of the server's", "ask for something shorter"),
    "too-large": ("the request is too large", "send less; for webhooks see `body_limit`"),
    "too-many": ("too many tries", "wait a minute"),
    "wrong-input": (
        "values do not fit the inputs of a listener",
        "give what is expected; `inputs` names each, what it may be and what came",
    ),
    "user-error": ("it cannot be done as asked", "see the message and its hint"),
}

# (status, code) -> (what happened, what to do about it): answers to a webhook.
HOOKS: Mapping[tuple[int, str], tuple[str, str]] = {
    (400, "malformed"): (
        "signed, but no JSON that can be read",
        "look at what the sender sends; `windlass explain` needs nothing of it",
    ),
    (401, "token"): (
        "the token of an OIDC issuer is not trusted",
        "mend what the message names: [connect a sender](../how-to/connect-generic.md)",
    ),
    (401, "signature"): (
        "the signature does not fit",
        "give both sides the same secret: [troubleshoot](../how-to/troubleshoot.md)",
    ),
    (404, "not-found"): ("no repository has this address", "compare with `windlass repo list`"),
    (405, "method"): ("webhooks are sent by POST", "look at what the sender does"),
    (408, "slow"): ("the body did not arrive in time", "nothing; the sender tries again"),
    (409, "delivery-differs"): ("a known id with another body", "nothing; the first one counts"),
    (413, "too-large"): ("larger than `body_limit`", "raise the setting, or send less"),
    (415, "media-type"): (
        "the body is no JSON, or it is compressed",
        "set the webhook's content type to `application/json`",
    ),
    (429, "too-many"): (
        "too many refused requests from there",
        "mend what was refused before, then wait for `Retry-After`",
    ),
    (503, "not-stored"): (
        "it could not be stored",
        "nothing; the sender tries again, and what it gives up is asked for later",
    ),
}
