"""What a playbook does, as one JSON object a line on stdout; read by events.ts."""

import json
import sys

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: ingot_events
type: stdout
short_description: one JSON object a line for each task
description: Made for programs to read.
"""

MOST_LINES = 40
MOST_CHARACTERS = 2000


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "ingot_events"

    def v2_playbook_on_play_start(self, play):
        tell(event="play", name=play.get_name().strip())

    def v2_playbook_on_no_hosts_matched(self):
        tell(event="unmatched")

    def v2_playbook_on_task_start(self, task, is_conditional):
        tell(event="begin", name=task.get_name().strip())

    def v2_playbook_on_handler_task_start(self, task):
        tell(event="begin", name=task.get_name().strip())

    def v2_runner_on_ok(self, result):
        fields = fields_of(result)
        changed = fields.get("changed") is True
        self._task(result, "changed" if changed else "ok", lines=said(task_of(result), fields))

    def v2_runner_on_skipped(self, result):
        self._task(result, "skipped")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._task(result, "ignored" if ignore_errors else "failed", lines=reasons(fields_of(result)))

    def v2_runner_on_unreachable(self, result):
        self._task(result, "unreachable", lines=reasons(fields_of(result)))

    def v2_runner_retry(self, result):
        fields = fields_of(result)
        tell(event="retry", name=name_of(result), left=int(fields.get("retries", 0)) - int(fields.get("attempts", 0)))

    def _task(self, result, state, lines=()):
        path = task_of(result).get_path() or ""
        warnings = [str(one) for one in fields_of(result).get("warnings") or []]
        tell(
            event="task",
            name=name_of(result),
            state=state,
            where=path,
            lines=shortened(lines),
            warnings=shortened(warnings),
        )


def tell(**event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def task_of(result):
    # Newer Ansible has the plain names and warns of the others.
    return getattr(result, "task", None) or result._task


def fields_of(result):
    fields = getattr(result, "result", None)
    return result._result if fields is None else fields


def name_of(result):
    return task_of(result).get_name().strip()


def said(task, fields):
    """What a debug task prints."""
    if str(task.action).split(".")[-1] != "debug":
        return []
    own = {key: value for key, value in fields.items() if not key.startswith("_") and key not in HOUSEKEEPING}
    if set(own) == {"msg"} and isinstance(own["msg"], str):
        return own["msg"].splitlines()
    return json.dumps(own, indent=2, default=str).splitlines()


HOUSEKEEPING = {"changed", "failed", "skipped", "warnings", "deprecations", "results", "invocation"}


def reasons(fields):
    """Why a task failed, the plainest words first; of a loop, why each item did."""
    items = [one for one in fields.get("results") or [] if isinstance(one, dict)]
    failed = [one for one in items if one.get("failed") or one.get("unreachable")]
    if failed:
        return [line for one in failed for line in labelled(one)]
    if "censored" in fields:
        return [str(fields["censored"])]
    names = ("msg", "stderr", "module_stderr", "stdout", "module_stdout")
    words = [str(fields[name]).strip() for name in names if fields.get(name)]
    if words and words[0] == "non-zero return code":
        words[0] = "exit code %s" % fields.get("rc")
    once = [word for index, word in enumerate(words) if word and word not in words[:index]]
    return [line for word in once for line in word.splitlines()[-MOST_LINES:] if line.strip()]


def labelled(item):
    label = item.get("_ansible_item_label", item.get(item.get("ansible_loop_var", "item")))
    lines = reasons(item)
    return ["%s: %s" % (label, line) for line in lines[:1]] + lines[1:]


def shortened(lines):
    return [str(line)[:MOST_CHARACTERS] for line in list(lines)[:MOST_LINES]]
