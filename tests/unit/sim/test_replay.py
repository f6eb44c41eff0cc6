"""The recorded drivers against the simulated chain: the same requests, the same shapes, nulls, codes, texts, events."""

from pathlib import Path
from typing import Any

from tests.unit.sim.devnet import devnet
from tests.unit.sim.replay import Player, Unseen, calls_of, differences, grant
from tests.unit.sim.scripts import CLIENT_2, FINALITY_HEIGHTS, NOTARY, TRANSPORT, is_deliberate, prepare

RECORDINGS = Path(__file__).parents[2] / "recordings/lotus"
_GATEWAY_PORT = "12347"


def unexplained(folders: Path, numbers: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """The differences that no entry of the list explains, over drivers that ran one after the other on one chain."""
    player = Player(devnet(folders))
    found: list[tuple[Any, ...]] = []
    for number in numbers:
        folder = next(one for one in sorted(folders.iterdir()) if one.name.startswith(number))
        for call in calls_of(folder):
            if call["http"].get("port") != _GATEWAY_PORT and call["n"] not in TRANSPORT:
                prepare(player, number, call)
                found += _compare(player, number, call)
    return found


def _compare(player: Player, number: str, call: dict[str, Any]) -> list[tuple[Any, ...]]:
    status, answer = player.play(call)
    request = call.get("request")
    method = str(request.get("method", "")).removeprefix("Filecoin.") if isinstance(request, dict) else ""
    found = [
        (number, call["n"], *one) for one in differences(call.get("response"), answer) if not is_deliberate(method, one)
    ]
    return found + (
        [] if status == call["http_status"] else [(number, call["n"], "status", call["http_status"], status)]
    )


def test_the_recorded_answers_about_finality_are_the_same() -> None:
    player = Player(devnet(RECORDINGS, genesis_time=1795305643))
    found: list[tuple[Any, ...]] = []
    for call in calls_of(RECORDINGS / "07-finality-autoclaim-nv28"):
        if call["n"] == "011-MpoolGetNonce":
            break
        for height in FINALITY_HEIGHTS.get(call["n"], range(0)):
            player.mine_at(height)
        found += _compare(player, "07", call)
    assert found == []


def test_what_the_recorded_node_refused_after_fip_0118_is_refused_in_the_same_words() -> None:
    player = Player(devnet(RECORDINGS, upgrades=((29, 20),)))
    found: list[tuple[Any, ...]] = []
    seen = 0
    for call in calls_of(RECORDINGS / "05-nv27-28-29-fip0118-branch"):
        if call["n"] < "018" and call["n"].endswith(("MpoolPush", "StateWaitMsg")):
            player.play(early(call))
        elif call["n"] == "090-ChainHead":
            player.happen(Unseen((grant(NOTARY, CLIENT_2, 10 << 40, 1),), 15))
            player.mine_at(30)
        elif "112" <= call["n"] < "234" and refusal(call["response"]) is not None:
            player.mine_at(player.node.chain.head.height + 1)
            _, answer = player.play(call)
            seen += 1
            if refusal(answer) != refusal(call["response"]):
                found.append((call["n"], refusal(call["response"]), refusal(answer)))
    assert found == []
    assert seen > 20


def early(call: dict[str, Any]) -> dict[str, Any]:
    """A call of before the upgrade, at no epoch in particular."""
    return {**call, "n": "0-any"}


def refusal(response: Any) -> tuple[int, str] | None:
    """Exit or error code and the actors' words, of a dry run or estimate that was refused; None for other answers."""
    if not isinstance(response, dict):
        return None
    if "error" in response:
        return response["error"]["code"], response["error"]["message"]
    result = response.get("result")
    if not isinstance(result, dict) or "MsgRct" not in result or result["GasCost"]["Message"] is not None:
        return None
    code = result["MsgRct"]["ExitCode"]
    return (code, result["Error"]) if code else None


def test_the_recorded_drivers_of_one_devnet_get_the_same_answers() -> None:
    assert unexplained(RECORDINGS, ("01", "02", "03")) == []
