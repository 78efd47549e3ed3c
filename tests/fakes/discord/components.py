"""What buttons, selects and forms must keep to. Source: Discord's component reference, 2026-08."""

from __future__ import annotations

from collections.abc import Sequence

from tests.fakes.discord.refusals import invalid
from tests.fakes.discord.state import Json, flat

ROW, BUTTON, SELECT, INPUT, SECTION, WORDS, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER, LABEL, UPLOAD = (
    1, 2, 3, 4, 9, 10, 11, 12, 13, 14, 17, 18, 19,
)  # fmt: skip
SELECTS = (3, 5, 6, 7, 8)
IN_FORMS = (*SELECTS, INPUT, UPLOAD, 21, 22, 23)
_TOP_V2 = (ROW, SECTION, WORDS, GALLERY, FILE, SEPARATOR, CONTAINER)
_MAX_ALL = 40
_MAX_WORDS_CHARS = 4000


def check_message(components: Sequence[Json], *, v2: bool) -> None:
    if not v2 and len(components) > 5:
        raise invalid("components", "Must be 5 or fewer in length.", "BASE_TYPE_BAD_LENGTH")
    for index, each in enumerate(components):
        if each.get("type") not in (_TOP_V2 if v2 else (ROW,)):
            raise invalid(
                f"components.{index}.type", 'Value of field "type" must be one of (1,).', "UNION_TYPE_CHOICES"
            )
    found = flat(components)
    if len(found) > _MAX_ALL:
        raise invalid("components", "Must be 40 or fewer in length.", "BASE_TYPE_BAD_LENGTH")
    if sum(len(each.get("content", "")) for each in found if each["type"] == WORDS) > _MAX_WORDS_CHARS:
        raise invalid("components", "Must be 4000 or fewer in length.", "BASE_TYPE_MAX_LENGTH")
    for each in found:
        match each["type"]:
            case 1:
                _row(each)
            case 2:
                _button(each)
            case kind if kind in SELECTS:
                _select(each)
            case 4 | 18 | 19 | 21 | 22 | 23:
                raise invalid("components", "This component can only be used in modals.", "COMPONENT_TYPE_INVALID")
            case 12 if not 1 <= len(each.get("items", ())) <= 10:
                raise invalid("components.items", "Must be between 1 and 10 in length.", "BASE_TYPE_BAD_LENGTH")
            case _:
                pass
    _unique(found)


def check_form(data: Json) -> None:
    if not 1 <= len(data.get("title") or "") <= 45:
        raise invalid("data.title", "Must be between 1 and 45 in length.", "BASE_TYPE_BAD_LENGTH")
    if not 1 <= len(data.get("custom_id") or "") <= 100:
        raise invalid("data.custom_id", "Must be between 1 and 100 in length.", "BASE_TYPE_BAD_LENGTH")
    rows = data.get("components") or []
    if not 1 <= len(rows) <= 5:
        raise invalid("data.components", "Must be between 1 and 5 in length.", "BASE_TYPE_BAD_LENGTH")
    for index, each in enumerate(rows):
        _form_row(each, f"data.components.{index}")
    _unique(flat(rows))


def _form_row(row: Json, where: str) -> None:
    match row.get("type"):
        case 1:
            inner = row.get("components") or []
            if len(inner) != 1 or inner[0].get("type") != INPUT:
                raise invalid(where, "A row of a modal holds one text input.", "COMPONENT_LAYOUT_INVALID")
            _input(inner[0], where)
            if not inner[0].get("label"):
                raise invalid(f"{where}.label", "This field is required", "BASE_TYPE_REQUIRED")
        case 18:
            inner_one = row.get("component") or {}
            if not 1 <= len(row.get("label") or "") <= 45:
                raise invalid(f"{where}.label", "Must be between 1 and 45 in length.", "BASE_TYPE_BAD_LENGTH")
            if len(row.get("description") or "") > 100:
                raise invalid(f"{where}.description", "Must be 100 or fewer in length.", "BASE_TYPE_MAX_LENGTH")
            if inner_one.get("type") not in IN_FORMS:
                raise invalid(f"{where}.component", "This component cannot be in a label.", "COMPONENT_TYPE_INVALID")
            _form_field(inner_one, where)
        case 10:
            pass
        case _:
            raise invalid(
                f"{where}.type", "Only a label, a text display or a row may stand in a modal.", "UNION_TYPE_CHOICES"
            )


def _form_field(field: Json, where: str) -> None:
    _custom_id(field)
    match field["type"]:
        case 4:
            _input(field, where)
        case 19:
            low, high = spread(field)
            if not (0 <= low <= 10 and 1 <= high <= 10 and low <= high):
                raise invalid(where, "A file upload takes between 0 and 10 files.", "NUMBER_TYPE_MAX")
        case kind if kind in SELECTS:
            _select(field)
        case _:
            pass


def _input(field: Json, where: str) -> None:
    _custom_id(field)
    for key, most in (("placeholder", 100), ("value", 4000), ("label", 45)):
        if len(field.get(key) or "") > most:
            raise invalid(f"{where}.{key}", f"Must be {most} or fewer in length.", "BASE_TYPE_MAX_LENGTH")
    if field.get("style") not in (1, 2):
        raise invalid(f"{where}.style", "This field is required", "BASE_TYPE_REQUIRED")


def _row(row: Json) -> None:
    inner = row.get("components") or []
    buttons = [each for each in inner if each.get("type") == BUTTON]
    fits = (buttons == inner and 1 <= len(inner) <= 5) or (len(inner) == 1 and inner[0].get("type") in SELECTS)
    if not fits:
        raise invalid("components", "A row holds up to five buttons or one select.", "COMPONENT_LAYOUT_WIDTH_EXCEEDED")


def _button(button: Json) -> None:
    style = button.get("style")
    if style not in (1, 2, 3, 4, 5, 6):
        raise invalid("components.style", 'Value of field "style" must be one of (1, 2, 3, 4, 5, 6).')
    if len(button.get("label") or "") > 80:
        raise invalid("components.label", "Must be 80 or fewer in length.", "BASE_TYPE_MAX_LENGTH")
    if style == 5:
        if not button.get("url") or button.get("custom_id"):
            raise invalid("components.url", "A link has an address and no custom id.", "BUTTON_COMPONENT_URL_REQUIRED")
        return
    if style != 6:
        _custom_id(button)
        if not (button.get("label") or button.get("emoji")):
            raise invalid("components.label", "A button has a label or an emoji.", "BUTTON_COMPONENT_INVALID")


def _select(select: Json) -> None:
    _custom_id(select)
    options = select.get("options") or []
    if select["type"] == SELECT and not 1 <= len(options) <= 25:
        raise invalid("components.options", "Must be between 1 and 25 in length.", "BASE_TYPE_BAD_LENGTH")
    for each in options:
        for key, most in (("label", 100), ("value", 100), ("description", 100)):
            if len(each.get(key) or "") > most or (key != "description" and not each.get(key)):
                raise invalid(
                    f"components.options.{key}", f"Must be {most} or fewer in length.", "BASE_TYPE_BAD_LENGTH"
                )
    if len({each["value"] for each in options}) != len(options):
        raise invalid("components.options", "Option values must be unique.", "COMPONENT_OPTION_VALUE_DUPLICATED")
    if len(select.get("placeholder") or "") > 150:
        raise invalid("components.placeholder", "Must be 150 or fewer in length.", "BASE_TYPE_MAX_LENGTH")
    low, high = spread(select)
    most = len(options) if options else 25
    if not (0 <= low <= high and 1 <= high <= most):
        raise invalid("components.max_values", f"Must be between 1 and {most}.", "NUMBER_TYPE_MAX")


def spread(component: Json) -> tuple[int, int]:
    """How many values it takes, at least and at most: one, unless it says otherwise."""
    low, high = component.get("min_values"), component.get("max_values")
    return 1 if low is None else int(low), 1 if high is None else int(high)


def _custom_id(component: Json) -> None:
    if not 1 <= len(component.get("custom_id") or "") <= 100:
        raise invalid("components.custom_id", "Must be between 1 and 100 in length.", "BASE_TYPE_BAD_LENGTH")


def _unique(found: Sequence[Json]) -> None:
    names = [each["custom_id"] for each in found if each.get("custom_id")]
    if len(set(names)) != len(names):
        raise invalid("components", "Component custom id cannot be duplicated", "COMPONENT_CUSTOM_ID_DUPLICATED")
    ids = [each["id"] for each in found if each.get("id")]
    if len(set(ids)) != len(ids):
        raise invalid("components", "Component id cannot be duplicated", "COMPONENT_ID_DUPLICATED")


def numbered(components: Sequence[Json]) -> list[Json]:
    """Each component with an id, as Discord gives one where there is none."""
    taken = {each.get("id") for each in flat(components)}
    free = (number for number in range(1, 10_000) if number not in taken)

    def with_id(node: Json) -> Json:
        made = dict(node)
        made["id"] = made.get("id") or next(free)
        if isinstance(made.get("components"), list):
            made["components"] = [with_id(each) for each in made["components"]]
        for key in ("component", "accessory"):
            if isinstance(made.get(key), dict):
                made[key] = with_id(made[key])
        return made

    return [with_id(each) for each in components]
