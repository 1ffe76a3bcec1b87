"""Tables in Markdown."""


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def spread(values):
    return f"{number(min(values))}–{number(max(values))}"


def met(holds):
    return "yes" if holds else "no"


def busy(measured):
    """What stands in place of a figure that was disturbed; nothing where none was."""
    shares = [one.foreign for one in measured if one.busy]
    return f"busy ({max(shares):.0%})" if shares else ""


def table(head, lines):
    print()
    for line in [head, ["---"] * len(head), *lines]:
        print("| " + " | ".join(str(part).replace("|", "/") for part in line) + " |", flush=True)
