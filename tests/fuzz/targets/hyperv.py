"""What a Hyper-V host's scripts print, and the words in which PowerShell complains."""

from __future__ import annotations

from collections.abc import Iterator

from snapaudit.hypervisors.hyperv import delivery, failures, parsing
from snapaudit.hypervisors.hyperv.collect import collect
from tests.beds.wsman.recording import printed, rows
from tests.builders import NOW
from tests.fuzz.target import Form, Target
from tests.fuzz.targets.outcome import goes_through
from tests.hypervisors.hyperv.hrows import answer, error_row, file_row, line
from tests.hypervisors.hyperv.printed import Printer, lines
from tests.hypervisors.hyperv.seen import ENDPOINT

_CLIXML = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    '<S S="Error">Get-VM : access is denied_x000D__x000A_</S><S S="Error">At line:1</S></Objs>'
)


def _answer(data: bytes) -> None:
    """From the bytes of the output to an inventory."""
    cut = delivery.Lines("hv1")
    told = [*cut.feed(data), *cut.end()]
    goes_through(collect(lambda _: Printer("hv1", told), ENDPOINT, NOW, lambda _: None))


def _answers() -> Iterator[bytes]:
    strange = [file_row("D:\\VMs\\unused.vhdx"), error_row("vm", "web")]
    whole = answer(line("web", "first", "second"), line("db"), *strange)
    yield "\n".join(lines(whole)).encode() + b"\n"
    yield "\r\n".join(printed(rows(machines=2))).encode()


def _recounted(data: bytes) -> None:
    """The same with a last row that fits the others, so that lost and doubled ones are read."""
    found = [one for one in data.splitlines() if one.strip() and b'"end"' not in one]
    _answer(b"\n".join([*found, b'{"k":"end","rows":%d}' % len(found)]))


def _complaint(data: bytes) -> None:
    """What is made of it stands in a message, which any terminal and file has to take."""
    text = data.decode("utf-8", "replace")
    str(failures.of_process("hv1", 1, text)).encode("utf-8")


def _result(data: bytes) -> None:
    """The answers of the scripts that delete and watch come the same way, and shorter."""
    cut = delivery.Lines("hv1")
    parsing.answer(iter([*cut.feed(data), *cut.end()]), "hv1")


TARGETS = (
    Target(name="hyperv-rows", group="hyperv", run=_answer, examples=_answers, form=Form.LINES),
    Target(
        name="hyperv-rows-recounted",
        group="hyperv",
        run=_recounted,
        examples=_answers,
        form=Form.LINES,
    ),
    Target(name="hyperv-result", group="hyperv", run=_result, examples=_answers, form=Form.LINES),
    Target(
        name="hyperv-clixml",
        group="hyperv",
        run=_complaint,
        examples=lambda: (_CLIXML.encode(), b"Get-VM : cannot find the command"),
        form=Form.XML,
        expected=(),
    ),
)
