"""
Every code that a fault of the configuration may carry, and what it stands for.

Codes are stable: pages of the documentation are named after them.
"""

from __future__ import annotations

from collections.abc import Mapping

CODES: Mapping[str, str] = {
    "cycle": "things wait for each other in a circle",
    "duplicate-name": "two things of one kind have the same name",
    "encoding": "the file is not UTF-8",
    "expression": "an expression (CEL) is wrong",
    "expression-here": "`${{ }}` stands where nothing is replaced",
    "expression-in-run": "`${{ }}` stands in a script, where a value could become a command",
    "file-name": "the name of a file cannot be used",
    "fixture": "a listener did not do what its test expects",
    "missing-file": "a file that is named is not there",
    "missing-key": "a key that must be there is not",
    "not-available": "a key of the language that this version cannot honour",
    "one-of": "exactly one of several keys must be there",
    "pointless": "a key has no meaning where it stands",
    "synonym": "a word of another system, read as ours (a note, not an error)",
    "synonym-twice": "a word of another system stands beside ours",
    "two-places": "there is a folder .windlass and a file .windlass.yaml (a note)",
    "unknown-key": "a key that the language does not have",
    "unknown-name": "a name that leads nowhere",
    "wrong-name": "a name that cannot be used",
    "wrong-type": "a value of the wrong kind",
    "wrong-value": "a value that is not among those allowed",
    "yaml-alias": "an alias without an anchor, or inside what it stands for",
    "yaml-documents": "more than one document in a file",
    "yaml-duplicate": "a key that stands twice in one mapping",
    "yaml-key": "a key that is a list or a mapping",
    "yaml-merge": "a merge key `<<`, which YAML 1.2 does not have",
    "yaml-size": "too large, too deep, or too many values",
    "yaml-syntax": "not valid YAML",
    "yaml-tag": "a tag such as `!!python/object`, or a text that begins with `!`",
}
