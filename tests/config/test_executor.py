from __future__ import annotations

from pathlib import Path

import pytest

from snapaudit.config.settings import DaskExecutor, ProcessExecutor
from tests.config.written import fault, settings

TLS = "tls_ca_file: ca.pem, tls_client_cert: me.pem, tls_client_key: me.key"


def test_processes_of_this_machine_read_unless_it_is_written(tmp_path: Path) -> None:
    assert settings(tmp_path, "version: 1\n").executor == ProcessExecutor()


def test_number_of_processes_can_be_written(tmp_path: Path) -> None:
    found = settings(tmp_path, "version: 1\nexecutor: {kind: processes, workers: 3}\n")
    assert found.executor == ProcessExecutor(workers=3)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_cluster_on_this_very_machine_needs_no_tls(tmp_path: Path, host: str) -> None:
    text = f"version: 1\nexecutor: {{kind: dask, scheduler: 'tcp://{host}:8786'}}\n"
    assert settings(tmp_path, text).executor == DaskExecutor(scheduler=f"tcp://{host}:8786")


def test_files_for_tls_are_taken_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    text = f"version: 1\nexecutor: {{kind: dask, scheduler: 'tls://d.example:8786', {TLS}}}\n"
    assert settings(tmp_path, text).executor == DaskExecutor(
        scheduler="tls://d.example:8786",
        tls_ca_file=str(tmp_path / "ca.pem"),
        tls_client_cert=str(tmp_path / "me.pem"),
        tls_client_key=str(tmp_path / "me.key"),
    )


def test_endpoint_says_at_which_site_it_is(tmp_path: Path) -> None:
    entry = "{name: k, kind: libvirt, url: 'test:///default', site: berlin}"
    [endpoint] = settings(tmp_path, f"version: 1\nendpoints: [{entry}]\n").endpoints
    assert endpoint.site == "berlin"


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("▶{workers: 3}", "the key 'kind' is missing"),
        ("{kind: ▶dusk}", "expected one of processes, dask, found 'dusk' (did you mean 'dask'?)"),
        ("{kind: processes, workers: ▶0}", "expected 1 to 256 processes"),
        ("{kind: processes, ▶scheduler: x}", "unknown key 'scheduler'"),
        ("{kind: dask, ▶workers: 3}", "unknown key 'workers'"),
        ("▶{kind: dask}", "the key 'scheduler' is missing"),
        ("{kind: dask, scheduler: ▶'http://d:1'}", "expected an address of a Dask scheduler"),
        ("{kind: dask, scheduler: ▶'tls://d'}", "expected an address of a Dask scheduler"),
        ("{kind: dask, scheduler: ▶'tls://d:99999'}", "expected a URL with its scheme"),
        ("{kind: dask, scheduler: ▶'tcp://d.example:8786'}", "passwords would go over the network"),
        ("{kind: dask, scheduler: ▶'tls://d:1', tls_ca_file: a}", "tls:// needs all of"),
        ("{kind: dask, scheduler: 'tcp://127.0.0.1:1', ▶tls_ca_file: a}", "of use only with"),
    ],
)
def test_wrong_executor_is_told_at_its_place(tmp_path: Path, marked: str, said: str) -> None:
    assert fault(tmp_path, f"version: 1\nexecutor: {marked}\n").startswith(said)
