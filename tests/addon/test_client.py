from __future__ import annotations

import pytest
from fake_backend import PNG, FakeBackend, error, state
from plain import load

client_module = load("client")
protocol = load("protocol")
Client, BackendError, BackendGone = client_module.Client, client_module.BackendError, client_module.BackendGone


@pytest.fixture
def backend(tmp_path):
    with FakeBackend(tmp_path) as fake:
        yield fake


@pytest.fixture
def client(backend):
    return Client(backend.port, backend.token, timeout=2.0)


def request(tmp_path, **settings):
    return protocol.DecomposeRequest(
        str(tmp_path / "plate"), str(tmp_path / "out"), settings=protocol.DecomposeSettings(**settings)
    )


def test_health_tells_the_version(client):
    assert client.health().version == protocol.VERSION


def test_a_job_comes_back_as_it_was_sent(client, tmp_path):
    sent = request(tmp_path, preset="draft", seed=7)
    status = client.submit(sent)
    assert status.request == sent
    assert client.job(status.id) == status
    assert client.jobs() == (status,)


def test_events_are_numbered_and_asked_for_once(client, tmp_path):
    job = client.submit(request(tmp_path)).id
    first = client.events(job)
    second = client.events(job, after=first.events[-1].n)
    assert [line.n for line in (*first.events, *second.events)] == [1, 2]
    assert second.events[0].event.fraction == 0.25
    assert second.state == "running"


def test_cancel_resume_preview_delete(client, backend, tmp_path):
    job = client.submit(request(tmp_path)).id
    client.cancel(job)
    assert client.events(job).state == "cancelled"
    assert client.resume(job).state == "queued"
    assert client.preview(job) == PNG
    client.delete(job)
    assert backend.jobs == {}


def test_shutdown_ends_the_server(client, backend):
    client.shutdown()
    assert backend.ended.wait(5)
    with pytest.raises(BackendGone, match="not running; start it"):
        client.health()


def test_a_wrong_token_is_one_sentence(backend):
    with pytest.raises(BackendError, match="refuses our token") as caught:
        Client(backend.port, "guess", 2.0).jobs()
    assert caught.value.status == 401


def test_the_servers_own_sentence_is_kept(client):
    with pytest.raises(BackendError, match="There is no job nobody") as caught:
        client.job("nobody")
    assert caught.value.status == 404


def test_names_a_newer_server_adds_are_ignored(client, backend, tmp_path):
    job = client.submit(request(tmp_path)).id
    backend.jobs[job].tell({**error("no"), "shiny": 1})
    assert client.events(job).events[0].event.kind == "error"


def test_state_events_carry_the_state(client, backend, tmp_path):
    backend.script = lambda _: [state("failed")]
    job = client.submit(request(tmp_path)).id
    assert client.events(job).events[0].event.data == {"state": "failed"}
