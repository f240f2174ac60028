"""`qctl config`: the settings of the queue."""

from __future__ import annotations

import sys

from qctl.cli.options import look_at_queue, open_queue
from qctl.cli.spec import Argument, Command, Option
from qctl.model import BadValue
from qctl.rules.settings import SETTINGS, known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from qctl.cli.spec import Values


def run(values: Values) -> int:
    from qctl.cli.render import object_json, table
    from qctl.cli.table import Column

    name, value = values["name"], values["value"]
    if value is not None and values["unset"]:
        raise BadValue("--unset and a value exclude each other: give one of them")
    if name is None:
        queue = look_at_queue(values)
        rows = []
        for one in SETTINGS.values():
            own = queue.store.setting(one.name)
            rows.append({"name": one.name, "value": own or one.default, "is_default": own is None, "meaning": one.meaning,
                         "style": {"value": None if own is None else "bold"}})  # fmt: skip
        columns = [
            Column("NAME", "name"),
            Column("VALUE", "value"),
            Column("MEANING", "meaning", flex=True, minimum=20),
        ]
        table(columns, rows, json=values["json"])
        return 0
    setting = known(name)
    if value is None and not values["unset"]:
        queue = look_at_queue(values)
        text = queue.store.setting(name) or setting.default
        sys.stdout.write((object_json({"name": name, "value": text}) if values["json"] else text) + "\n")
        return 0
    queue = open_queue(values, create=True)
    queue.configure(name, value)
    return 0


CONFIG = Command(
    "config",
    "Show or change settings of the queue.",
    run,
    Argument("name", required=False, help="The setting.", complete="settings"),
    Argument("value", required=False, help="Its new value."),
    Option("--unset", help="Back to the default."),
    epilog=("qctl config", "qctl config default_timeout 1h", "qctl config hook.dead https://example.com/hook"),
)
