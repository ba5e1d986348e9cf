"""Both faces against each other and against DCMTK and pynetdicom: what is sent comes back byte for byte."""

from __future__ import annotations

import gc
import os
import shutil
import socket
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pydicom.data
import pytest

from dicomcore import Dataset, dcmread, net
from dicomcore._native.net.fragments import Fragments
from dicomcore.dataset.state import file_index
from dicomcore.encoding import encode
from dicomcore.errors import AssociationAborted, AssociationRejected, NetworkError, NetworkTimeout
from dicomcore.net.accepting import Refusal
from dicomcore.net.commands import Field, Kind
from dicomcore.net.connection import Connection
from dicomcore.net.exchange import Context
from dicomcore.net.instances import open_instance
from dicomcore.net.session import Session
from dicomcore.net.states import State
from tests.net.raw_peer import until
from tests.support.servers import free_port

VERIFICATION = "1.2.840.10008.1.1"
QUICK = net.Timeouts(connect=5, associate=5, response=5, store=20, retrieve=20, release=2)


def body(path: str | os.PathLike[str]) -> bytes:
    """A file's bytes behind its file meta information."""
    index = file_index(dcmread(path, stop_before_pixels=True, force=True))
    assert index is not None
    start = index.packed_at if index.inflated else index.body
    data = Path(path).read_bytes()[start:]
    return data.rstrip(b"\0") if index.inflated else data  # PS3.5 A.5 pads the stream to an even length


def syntax(path: Path) -> str:
    return str(dcmread(path, force=True).transfer_syntax)


def identity(path: str | os.PathLike[str]) -> str:
    return str(dcmread(path, force=True).SOPInstanceUID)


def chosen() -> list[Path]:
    """Files of many SOP classes and transfer syntaxes that can be sent."""
    names = (
        "CT_small.dcm", "MR_small.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm", "MR_small_RLE.dcm",
        "JPEG2000.dcm", "JPEG-LL.dcm", "JPGExtended.dcm", "image_dfl.dcm", "rtplan.dcm", "rtdose.dcm", "rtstruct.dcm",
        "test-SR.dcm", "color-pl.dcm", "waveform_ecg.dcm", "emri_small.dcm", "reportsi.dcm", "examples_jpeg2k.dcm",
    )  # fmt: skip
    found = {path.name: path for path in Path(pydicom.data.__file__).parent.rglob("*.dcm")}
    return list({identity(found[name]): found[name] for name in names if name in found}.values())


FILES = chosen()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[net.Server]:
    with net.Server(ae="SERVER", folder=tmp_path / "stored", timeouts=QUICK) as made:
        yield made


def stored(folder: Path) -> dict[str, Path]:
    return {identity(path): path for path in folder.rglob("*.dcm")}


def test_what_is_sent_is_stored_byte_for_byte(server: net.Server, tmp_path: Path) -> None:
    with net.associate(server.address, timeouts=QUICK) as association:
        outcomes = list(association.store(FILES))
        assert association.echo().status == 0
    assert [(one.path, one.status, one.error) for one in outcomes] == [(str(path), 0, "") for path in FILES]
    found = stored(tmp_path / "stored")
    assert len(found) == len(FILES)
    for path in FILES:
        kept = found[identity(path)]
        assert body(kept) == body(path), path
        meta = dcmread(kept).file_meta
        assert meta.TransferSyntaxUID == syntax(path)
        assert (meta.SendingApplicationEntityTitle, meta.ReceivingApplicationEntityTitle) == ("DICOMCORE", "SERVER")
    assert not list((tmp_path / "stored" / ".incoming").iterdir())


def test_a_data_set_in_memory_is_sent(server: net.Server, tmp_path: Path) -> None:
    ds = dcmread(FILES[0])
    ds.PatientName = "Changed^Name"
    with net.associate(server.address, timeouts=QUICK) as association:
        (outcome,) = association.store(ds)
    assert (outcome.status, outcome.path) == (0, None)
    (path,) = (tmp_path / "stored").rglob("*.dcm")
    assert dcmread(path) == ds


@pytest.mark.parametrize("sizes", [(3, 5, 4), (1, 2, 2, 1), (7,), (1, 1), (2, 3, 2, 2, 3), (5, 4, 4, 4, 1, 2)])
def test_parts_of_odd_length_arrive_whole(sizes: tuple[int, ...]) -> None:
    parts = [bytes([65 + place]) * size for place, size in enumerate(sizes)]
    session = Session(Connection())
    session.connection.state = State.ESTABLISHED
    session.establish({1: Context(1, "1.2", "1.2.840.10008.1.2.1")}, 16384, 1, 1, 0.0)
    session.send(1, {Field.COMMAND: 1, Field.MESSAGE_ID: 1}, iter(parts))
    sent = b"".join(map(bytes, session.take(0.0)))
    _, fragments, fault = Fragments().scan(sent, 0, len(sent), 1 << 20)
    data = [sent[at : at + size] for _, control, at, size in fragments if not control & 1]
    assert (b"".join(data), fault) == (b"".join(parts), -1)
    assert all(len(one) % 2 == 0 for one in data[:-1])


def test_a_second_time_is_a_success_and_other_bytes_are_kept_apart(tmp_path: Path) -> None:
    ds = dcmread(FILES[0])
    other = dcmread(FILES[0])
    other.PatientName = "Other"
    for rule, status, count in (("keep", 0xB000, 1), ("replace", 0, 1), ("reject", 0x0111, 1), ("version", 0, 2)):
        root = tmp_path / rule
        folder = net.Folder(root, duplicates=rule)
        with (
            net.Server(ae="SERVER", folder=folder) as server,
            net.associate(server.address, timeouts=QUICK) as association,
        ):
            assert [one.status for one in association.store([ds, ds])] == [0, 0]
            assert [one.status for one in association.store([other])] == [status]
        names = [str(dcmread(path).PatientName) for path in root.rglob("*.dcm")]
        assert len(names) == count
        assert ("Other" in names) == (rule in ("replace", "version"))


def test_names_of_a_peer_never_are_paths(tmp_path: Path) -> None:
    names = ["..", "../../etc/passwd", "/etc/x", "a\\b", "." * 64, "1.2.3/../..", "CON", "1..2", "x" * 60, "1.2 "]
    root = tmp_path / "in" / "side"
    with net.Server(ae="SERVER", folder=root) as server, net.associate(server.address, timeouts=QUICK) as association:
        for name in names:
            ds = dcmread(FILES[0])
            for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
                ds[keyword].value = name
            (outcome,) = association.store(ds)
            assert outcome.status.category in ("success", "warning"), name
    everything = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(everything) == len({name.strip() for name in names})
    assert all(path.is_relative_to(root) for path in everything)


def test_rejections(tmp_path: Path) -> None:
    def accept(request: object, address: object) -> None:
        if getattr(request, "calling") == "STRANGER":  # noqa: B009
            raise Refusal("not known", reason=3)

    limits = net.NetLimits(associations=1)
    with net.Server(ae="SERVER", folder=tmp_path, accept=accept, limits=limits) as server:
        host = f"127.0.0.1:{server.port}"
        for options, reason in (
            ({"called": "OTHER"}, (1, 1, 7)),
            ({"called": "SERVER", "calling": "STRANGER"}, (1, 1, 3)),
        ):
            with pytest.raises(AssociationRejected) as caught:
                net.associate(host, timeouts=QUICK, **options)
            assert (caught.value.result, caught.value.source, caught.value.reason) == reason
            _settle(server)
        with net.associate(server.address, timeouts=QUICK):
            with pytest.raises(AssociationRejected) as caught:
                net.associate(server.address, timeouts=QUICK)
            assert (caught.value.result, caught.value.source, caught.value.reason) == (2, 3, 2)


def _settle(server: net.Server, count: int = 0) -> None:
    until = time.monotonic() + 5
    while server.associations > count and time.monotonic() < until:
        time.sleep(0.01)


def test_find_yields_what_a_handler_gives_and_stops_when_asked() -> None:
    closed: list[int] = []

    def answer(request: net.Request) -> Iterator[Dataset]:
        count = 0
        try:
            for count in range(100_000):
                ds = Dataset()
                ds.QueryRetrieveLevel = request.dataset.QueryRetrieveLevel
                ds.PatientName = f"Patient^{count}"
                yield ds
        finally:
            closed.append(count)

    server = net.Server(ae="SERVER", timeouts=QUICK)
    server.find(answer)
    with server, net.associate(server.address, timeouts=QUICK) as association:
        names = []
        for ds in association.find({"PatientName": "*"}, level="STUDY"):
            names.append(str(ds.PatientName))
            if len(names) == 1000:
                break
        assert names == [f"Patient^{count}" for count in range(1000)]
        until = time.monotonic() + 5
        while not closed and time.monotonic() < until:
            time.sleep(0.01)
        assert closed
        assert closed[0] < 99_999
        assert association.echo().status == 0


def test_find_in_any_script() -> None:
    asked = []

    def answer(request: net.Request) -> Iterator[Dataset]:
        asked.append((str(request.dataset.PatientName), request.dataset.SpecificCharacterSet))
        yield request.dataset

    server = net.Server(ae="SERVER")
    server.find(answer)
    with server, net.associate(server.address, timeouts=QUICK) as association:
        (found,) = association.find({"PatientName": "Müller^Jörg*"}, level="STUDY")
    assert asked == [("Müller^Jörg*", "ISO_IR 192")]
    assert str(found.PatientName) == "Müller^Jörg*"


def test_a_failing_handler_is_a_failure_and_not_the_end() -> None:
    def answer(request: net.Request) -> Iterator[Dataset]:
        raise KeyError("secret")
        yield Dataset()

    server = net.Server(ae="SERVER")
    server.find(answer)
    with server, net.associate(server.address, timeouts=QUICK) as association:
        with pytest.raises(NetworkError, match="C000") as caught:
            list(association.find({"PatientName": ""}, level="STUDY"))
        assert "secret" not in str(caught.value)
        assert association.echo().status == 0


def private(path: Path) -> Path:
    """A copy of a file in a transfer syntax that nobody can decode."""
    source = next(path for path in FILES if path.name == "JPEG2000.dcm")
    path.write_bytes(source.read_bytes().replace(syntax(source).encode(), b"1.2.3.4.5.6.7.8.9.1011", 1))
    return path


def test_what_the_peer_could_not_send_is_an_outcome(tmp_path: Path) -> None:
    path = private(tmp_path / "private.dcm")
    server = net.Server(ae="QR")
    server.get(lambda request: [FILES[0], path, FILES[1]])
    with server, net.associate(server.address, timeouts=QUICK) as association:
        *came, lost = association.get({"StudyInstanceUID": "1.2"}, into=tmp_path / "got")
    assert [(int(one.status), one.sop_instance) for one in came] == [(0, identity(path)) for path in FILES[:2]]
    assert (lost.status.category, lost.error) == ("failure", "the peer counts it as failed")
    assert lost.sop_instance == identity(path)


def test_a_handler_that_gives_no_instance_is_no_success(tmp_path: Path) -> None:
    server = net.Server(ae="QR")
    server.get(lambda request: [FILES[0], object()])
    with server, net.associate(server.address, timeouts=QUICK) as association:
        with pytest.raises(NetworkError, match="the retrieval failed"):
            list(association.get({"StudyInstanceUID": "1.2"}, into=tmp_path / "got"))
        assert association.echo().status == 0


def test_a_private_transfer_syntax_is_sent_as_it_is(tmp_path: Path) -> None:
    path = private(tmp_path / "private.dcm")
    sent = b"".join(open_instance(path).parts(syntax(path), None))
    assert path.read_bytes().endswith(sent)
    assert len(sent) > 1000


def test_a_server_whose_loop_has_ended_is_left_in_peace() -> None:
    server = net.Server(ae="QR")
    with server:
        assert server._loop is not None
        assert server._thread is not None
        server._loop.call_soon_threadsafe(server._stopped.set)
        server._thread.join(20)
        assert server._loop.is_closed()


def test_get_and_move(tmp_path: Path) -> None:
    some = FILES[:6]

    def give(request: net.Request) -> list[Path]:
        return [*some, tmp_path / "missing.dcm"]

    with net.Server(ae="THIRD", folder=tmp_path / "third") as third:

        def send(request: net.Request) -> Iterator[object]:
            yield third.address if request.command.MoveDestination == "THIRD" else None
            yield some

        server = net.Server(ae="SERVER")
        server.get(give)
        server.move(send)
        with server, net.associate(server.address, timeouts=QUICK) as association:
            keys = {"StudyInstanceUID": "1.2"}
            *outcomes, missing = association.get(keys, level="STUDY", into=tmp_path / "converted")
            assert [one.status for one in outcomes] == [0] * len(some)
            assert (missing.status.category, missing.error) == ("failure", "the peer counts 1 more as failed")
            kinds = {(str(dcmread(path, force=True).SOPClassUID), (syntax(path),)) for path in some}
            *outcomes, missing = association.get(keys, level="STUDY", into=tmp_path / "got", storage=kinds)
            assert [one.status for one in outcomes] == [0] * len(some)
            assert missing.path is None
            responses = list(association.move({"StudyInstanceUID": "1.2"}, level="STUDY", to="THIRD"))
            assert (responses[-1].status, responses[-1].completed) == (0, len(some))
            (unknown,) = association.move({"StudyInstanceUID": "1.2"}, level="STUDY", to="NOBODY")
            assert unknown.status == 0xA801
    for folder in ("got", "third"):
        found = stored(tmp_path / folder)
        assert {identity(path): body(path) for path in some} == {uid: body(path) for uid, path in found.items()}


def test_many_threads_on_one_association(server: net.Server) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with net.associate(server.address, timeouts=QUICK) as association, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: association.echo().status, range(800)))
    assert answers == [0] * 800


def test_a_user_handler_gets_the_instance(tmp_path: Path) -> None:
    seen = []
    server = net.Server(ae="SERVER")

    @server.store
    def keep(request: net.Request) -> int:
        seen.append((request.sop_instance, request.dataset.SOPInstanceUID, Path(str(request.path)).stat().st_size))
        return 0xB007

    with server, net.associate(server.address, timeouts=QUICK) as association:
        outcomes = list(association.store(FILES[:3]))
    assert [one.status for one in outcomes] == [0xB007] * 3
    assert sorted(one[0] for one in seen) == sorted(one[1] for one in seen) == sorted(map(identity, FILES[:3]))
    assert not list(Path(os.environ.get("TMPDIR", "/tmp")).glob("dicomcore-*.dcm"))


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NetworkError, match="no connection"):
        net.associate(f"X@127.0.0.1:{port}")


def test_a_peer_that_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(AssociationAborted, match="in time"):
            net.associate(f"X@127.0.0.1:{silent.getsockname()[1]}", timeouts=net.Timeouts(associate=0.3))
        assert time.monotonic() - begun < 5


def test_a_handler_that_never_answers() -> None:
    server = net.Server(ae="SERVER")
    server.find(lambda request: time.sleep(1.5) or [])
    with server, net.associate(server.address, timeouts=net.Timeouts(response=0.3)) as association:
        with pytest.raises(NetworkTimeout, match=r"Timeouts\.response"):
            list(association.find({"PatientName": ""}, level="STUDY"))
        with pytest.raises(NetworkTimeout):
            association.echo()


# -- peers


needs_dcmtk = pytest.mark.skipif(shutil.which("storescu") is None, reason="DCMTK is not installed")
NODELAY = {**os.environ, "TCP_NODELAY": "1"}


@needs_dcmtk
def test_dcmtk_sends(server: net.Server, tmp_path: Path) -> None:
    done = subprocess.run(
        ["echoscu", "-aec", "SERVER", "127.0.0.1", str(server.port)], env=NODELAY, timeout=30, check=False
    )
    assert done.returncode == 0
    some = [path for path in FILES if path.name in ("CT_small.dcm", "rtplan.dcm", "test-SR.dcm")]
    command = ["storescu", "-R", "-aec", "SERVER", "127.0.0.1", str(server.port), *map(str, some)]
    assert subprocess.run(command, env=NODELAY, timeout=60, check=False).returncode == 0
    found = stored(tmp_path / "stored")
    assert set(found) == {identity(path) for path in some}


@needs_dcmtk
def test_dcmtk_receives(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "theirs").mkdir()
    command = ["storescp", "+B", "+xa", "-od", str(tmp_path / "theirs"), str(port)]
    with subprocess.Popen(command, env=NODELAY, stderr=subprocess.DEVNULL) as process:
        try:
            until = time.monotonic() + 10
            while time.monotonic() < until:
                try:
                    association = net.associate(f"STORESCP@127.0.0.1:{port}", timeouts=QUICK)
                    break
                except NetworkError:
                    time.sleep(0.05)
            with association:
                assert association.implementation[1].startswith("OFFIS_DCMTK")
                assert association.echo().status == 0
                outcomes = list(association.store(FILES[:8], transcode="lossless"))
                assert [one.status for one in outcomes] == [0] * 8, outcomes
        finally:
            process.terminate()
    found = {identity(path): path for path in (tmp_path / "theirs").iterdir()}
    kept = [path for path, outcome in zip(FILES[:8], outcomes, strict=True) if outcome.transfer_syntax == syntax(path)]
    assert len(kept) >= 4
    for path in kept:
        assert body(found[identity(path)]) == body(path)


def test_pynetdicom_sends_and_asks(server: net.Server, tmp_path: Path) -> None:
    pynetdicom = pytest.importorskip("pynetdicom")
    import pydicom

    server.find(lambda request: [request.dataset] * 3)
    entity = pynetdicom.AE("THEM")
    entity.add_requested_context(VERIFICATION)
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.2")
    entity.add_requested_context("1.2.840.10008.5.1.4.1.2.2.1")
    association = entity.associate("127.0.0.1", server.port, ae_title="SERVER")
    assert association.is_established
    assert association.send_c_echo().Status == 0
    ct = next(path for path in FILES if path.name == "CT_small.dcm")
    assert association.send_c_store(str(ct)).Status == 0
    keys = pydicom.Dataset()
    keys.QueryRetrieveLevel, keys.PatientName = "STUDY", "A*"
    answers = [(status.Status, found) for status, found in association.send_c_find(keys, "1.2.840.10008.5.1.4.1.2.2.1")]
    assert [status for status, _ in answers] == [0xFF00] * 3 + [0]
    association.release()
    assert set(stored(tmp_path / "stored")) == {identity(ct)}


# -- hostile peers


def talk(server: net.Server, data: bytes, wait: float = 5.0) -> bytes:
    """Send bytes, and all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), wait) as peer:
        peer.sendall(data)
        answer = b""
        try:
            while part := peer.recv(4096):
                answer += part
                if answer[:1] == b"\7":
                    break
        except TimeoutError:
            pass
        return answer


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\2\0\1\0\1\xfc\3\3", b"\4\0\xff\xff\xff\xff", b"\xff" * 6],
)
def test_what_is_no_dicom_is_answered_with_an_abort(server: net.Server, data: bytes) -> None:
    assert talk(server, data)[:1] == b"\7"
    with net.associate(server.address, timeouts=QUICK) as association:
        assert association.echo().status == 0


def test_connections_without_a_word_leave_nothing(server: net.Server) -> None:
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(300):
        socket.create_connection(("127.0.0.1", server.port)).close()
    until = time.monotonic() + 10
    while before and len(os.listdir("/proc/self/fd")) > before + 5:
        assert time.monotonic() < until
        time.sleep(0.05)
    _settle(server)
    assert server.associations == 0


def test_silent_peers_do_not_keep_others_waiting(server: net.Server) -> None:
    idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(15)]
    try:
        begun = time.monotonic()
        with net.associate(server.address, timeouts=QUICK) as association:
            association.echo()
        assert time.monotonic() - begun < 2
    finally:
        for one in idle:
            one.close()


def test_answers_as_bytes_and_none_waits_for_the_next() -> None:
    server, taken = net.Server(ae="QR"), threading.Event()

    def answer(request: net.Request) -> Iterator[Dataset | bytes]:
        ds = request.dataset
        yield encode(ds, request.context.transfer_syntax)
        ds.PatientName = "SECOND" if taken.wait(20) else "LATE"
        yield ds
        for number in range(1500):
            ds.PatientName = f"{number}" * (1 + number % 50)
            yield encode(ds, request.context.transfer_syntax)

    server.find(answer)
    limits = net.NetLimits(pdu=256)  # some identifiers take several PDUs
    with server, net.associate(server.address, timeouts=QUICK, limits=limits) as association:
        found = association.find({"PatientName": "FIRST"}, level="STUDY")
        assert next(found).PatientName == "FIRST"
        taken.set()
        assert next(found).PatientName == "SECOND"
        assert [str(one.PatientName) for one in found] == [f"{one}" * (1 + one % 50) for one in range(1500)]


def test_a_server_that_stops_sends_the_answer_it_works_on() -> None:
    server, begun, go_on = net.Server(ae="QR"), threading.Event(), threading.Event()

    def answer(request: net.Request) -> int:
        begun.set()
        return 0x0107 if go_on.wait(10) else 0x0110

    server.service(Kind.N_CREATE, ["1.2.840.10008.3.1.2.3.3"], answer)
    responses: list[object] = []

    def ask() -> None:
        with suppress(NetworkError), net.associate(server.address, timeouts=QUICK) as association:
            responses.append(association.n_create("1.2.840.10008.3.1.2.3.3", instance="1.2").status)

    with server:
        asking = threading.Thread(target=ask)
        asking.start()
        assert begun.wait(10)
        assert server._loop is not None
        server._loop.call_soon_threadsafe(server._stopped.set)
        while not server._is_stopping:
            time.sleep(0.001)
        go_on.set()
        asking.join(20)
    assert responses == [0x0107]


def test_a_requestor_that_rests_releases() -> None:
    """An abort would make some archives drop what was sent; nobody needs to call for it."""
    with net.Server("S", timeouts=QUICK) as server:
        association = net.associate(server.address, timeouts=net.Timeouts(idle=0.2), release_idle=True)
        wire = association._wire
        assert until(lambda: not association.is_open)
        assert until(lambda: server.associations == 0)
        assert wire.session.is_released
        assert wire.session.failure is None, "in order"
        with pytest.raises(AssociationAborted, match=r"nothing was asked for 0\.2 s.*Timeouts\.idle"):
            association.echo()
        association.release()


def test_what_works_does_not_rest() -> None:
    server = net.Server("S", timeouts=QUICK)
    may_go = threading.Event()

    def find(request: net.Request) -> Iterator[Dataset]:
        for number in ("1", "2"):
            ds = Dataset()
            ds.PatientID = number
            yield ds
            may_go.wait(20)

    server.find(find, model="study")
    with server, net.associate(server.address, timeouts=QUICK) as association:
        answers = association.find({"PatientID": ""})
        assert next(answers).PatientID == "1"
        wire, late = association._wire, time.monotonic() + 1000
        assert wire.released_if_idle(late) == QUICK.idle
        may_go.set()
        assert [one.PatientID for one in answers] == ["2"]
        left = wire.released_if_idle(time.monotonic())
        assert left is not None
        assert 0 < left <= 300
        assert association.is_open
        assert wire.released_if_idle(late) is None
        assert wire.session.is_released
    never = net.Timeouts(idle=None)
    with (
        net.Server("S", timeouts=QUICK) as other,
        net.associate(other.address, timeouts=never, release_idle=True) as association,
    ):
        assert association._wire.released_if_idle(late) is None
        assert association.echo().status == 0


def test_nothing_is_left_of_associations_to_watch() -> None:
    def watching() -> int:
        return sum(thread.name == "dicomcore-idle" for thread in threading.enumerate())

    with net.Server("S", timeouts=QUICK) as server:
        assert until(lambda: watching() == 0), "those of other tests"
        with net.associate(server.address, timeouts=QUICK):
            assert watching() == 0, "only who asks for it pays for it"
        with net.associate(server.address, timeouts=QUICK, release_idle=True) as association:
            assert watching() == 1
            list(association.store([]))
        net.associate(server.address, timeouts=QUICK, release_idle=True).abort()
        left = net.associate(server.address, timeouts=QUICK, release_idle=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            del left
            gc.collect()
        assert until(lambda: watching() == 0)
