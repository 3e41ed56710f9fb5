"""
The `windlass` command: what there is, and how it ends.

A command's module is imported when it is used, and the list below says what each
does, so that `windlass --help` reads nothing but this file.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from windlass.cli.exits import Exit, Failure

# Name -> where it is, and what it does; in the order of a day's work.
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("windlass.cli.local.up:up", "Start the server."),
    "demo": ("windlass.cli.local.demo:demo", "See it work, with nothing set up."),
    "lint": ("windlass.cli.local.lint:lint", "Check the configuration in a folder."),
    "listeners": (
        "windlass.cli.commands.listeners:listeners",
        "List, test, try and run listeners.",
    ),
    "schema": ("windlass.cli.local.schema:schema", "Print the JSON Schema for editors."),
    "settings": ("windlass.cli.local.settings:settings", "Show settings and their origin."),
    "doctor": ("windlass.cli.commands.doctor:doctor", "Is everything in order?"),
    "repo": ("windlass.cli.commands.repositories:repo", "Connect repositories."),
    "pr": ("windlass.cli.commands.pull_requests:pr", "Pull requests of plain Git."),
    "events": ("windlass.cli.commands.events:events", "What came in, and who listened."),
    "explain": ("windlass.cli.commands.events:explain", "Why it did, or did not, happen."),
    "runs": ("windlass.cli.commands.runs:runs", "What was started."),
    "logs": ("windlass.cli.commands.logs:logs", "What the jobs of a run said."),
    "builds": ("windlass.cli.commands.builds:builds", "What was built."),
    "environments": ("windlass.cli.commands.deployments:environments", "What runs where."),
    "deploy": ("windlass.cli.commands.deployments:deploy", "Deploy a service."),
    "rollback": ("windlass.cli.commands.deployments:rollback", "Go back, and stay there."),
    "unpin": ("windlass.cli.commands.deployments:unpin", "Follow the listeners again."),
    "approve": ("windlass.cli.commands.deployments:approve", "Let a deployment go on."),
    "reject": ("windlass.cli.commands.deployments:reject", "Refuse a deployment."),
    "help": ("windlass.cli.local.topics:topics", "More about a topic, such as exit-codes."),
}


class Commands(click.Group):
    """The commands above, each imported when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order above."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        found = getattr(import_module(module), name)
        if not isinstance(found, click.Command):  # pragma: no cover
            raise TypeError(f"{module}:{name} is no command")
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="windlass", message="windlass %(version)s")
def windlass() -> None:
    """Turns what happens in a Git repository into builds, checks and deployments."""


def run(arguments: list[str]) -> int:
    """Run a command; returns its exit code."""
    from windlass.cli.output import report, say

    try:
        code = windlass.main(args=arguments, prog_name="windlass", standalone_mode=False)
    except Failure as failure:
        report(failure)
        return failure.code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        say("Stopped.")
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough of it; that is no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    return code if isinstance(code, int) else Exit.OK


def main() -> None:
    """The entry point."""
    sys.exit(run(sys.argv[1:]))
