#!/usr/bin/env python3
"""Stands in for claude, codex, gemini and opencode: no model, no network, standard library only.

    fake_agent.py PROGRAM ARGS...          what `PROGRAM ARGS...` does
    fake_agent.py --install DIR STATE      puts wrappers with the four names into DIR, to be first in PATH

Wrappers set FAKE_AGENT_STATE, the directory that all invocations share, and FAKE_AGENT_VERSION. It holds log.jsonl (a line for every
invocation, session, message and command, the names in fake_common.py), registry.json and live/ of the background agents, and switches:
files named after what they switch.

    agents_fail        `claude agents` fails
    agents_late        `claude agents` answers after that many seconds
    no_pid_ms          a new background agent shows no pid for so long (1300)
    think_ms           every turn begins with so much silence
    new_id_on_resume   a resumed session goes on under an id of its own
    deaf               standard input is never read

A message directs its turn; other words in it mean nothing:

    RUN[[command]]     a shell command, in a session of its own
    ASK[[command]]     the same after an approval; where nobody can be asked, a refusal
    SAY text           the answer, to the end of the line
    THINK text         a thought, to the end of the line
    SLEEP seconds      nothing for so long
    ERR status         the model's provider answers with that HTTP status
    SILENT             nothing more, ever
    IGNORE_TERM        TERM means nothing from here on
    FORK               leaves a process that sleeps, in a session of its own
    GARBAGE            a line that is no JSON
    HUGE               a text of a million bytes in one line
    SPLIT              the next line comes in several pieces
    NO_RESULT          ends now with 0, without a last word
    HANG_AFTER_RESULT  stays after the last word, whatever happens to its input
    EXIT code          ends now with that code
"""
import os, stat, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

VERSIONS = {"claude": "2.1.329", "codex": "0.169.0", "gemini": "0.61.0", "opencode": "1.18.33"}


def install(directory, state, versions=VERSIONS):
    """the wrappers; a program that `versions` leaves out is not there"""
    os.makedirs(directory, exist_ok=True)
    os.makedirs(os.path.join(state, "live"), exist_ok=True)
    for program, version in versions.items():
        path = os.path.join(directory, program)
        with open(path, "w") as f:
            f.write(f"#!/bin/sh\nFAKE_AGENT_STATE='{state}' FAKE_AGENT_VERSION='{version}' PYTHONDONTWRITEBYTECODE=1 "
                    f"exec '{sys.executable}' '{os.path.abspath(__file__)}' {program} \"$@\"\n")
        os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
    return directory


def main():
    if sys.argv[1] == "--install":
        install(*sys.argv[2:4])
        return
    program, arguments = sys.argv[1], sys.argv[2:]
    import fake_common
    fake_common.record_call(program, arguments)
    if program == "claude":
        import fake_claude_print as module
    elif program == "codex":
        import fake_codex as module
    else:
        import fake_others as module
    module.main(program, arguments, os.environ.get("FAKE_AGENT_VERSION") or VERSIONS[program])


if __name__ == "__main__":
    main()
