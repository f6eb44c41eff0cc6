"""The code of each built-in actor: a CID for each version of the actors. As a real node listed them.

Version 29 is that of an unmerged branch for FIP-0118. Of version 27 no list was recorded: it answers with that of 28.
"""

from node.cid import Cid, parse_cid

ACTOR_KINDS = (
    *("account", "cron", "datacap", "eam", "ethaccount", "evm", "init", "multisig", "paymentchannel", "placeholder"),
    *("reward", "storagemarket", "storageminer", "storagepower", "system", "verifiedregistry"),
)
"""Lotus' names of the actors."""

_CODES = {
    28: {
        "account": "bafk2bzaceb7qdzbji4msh3tyi3hqylly3ao77svv2243sjzwssfxo6dzdhxmc",
        "cron": "bafk2bzaceaj2gxrxect3osfwralk7ndhz3rzy7ybz3rlxdnqmgfjm7o47n7sm",
        "datacap": "bafk2bzacedir2w4opuf2nflnrlb7cfaqgjzldgr4qdyjli775s2wpr2cp32hi",
        "eam": "bafk2bzacebz2jhqgfkzetygd5lqflcc5gm2dtmvcduq4khcgeyem5c4fcsn4y",
        "ethaccount": "bafk2bzaceaje5z7bxpbjo2befurw4rrsrhlwfnj7ps45tzshwcczha74cizno",
        "evm": "bafk2bzacedbb2edt6kzzlochq4xahrffxnshghiwfa45xfyi6nfcvjojso5lc",
        "init": "bafk2bzacecvhl2ub56olwpxkfn466mllt4rlzcpwfjwo24m72myq4rmsmp3jm",
        "multisig": "bafk2bzacedw4b7bw5yhfzuvdgut4hglzsshhlq2ab4vm7pafmgechgdsqh2uo",
        "paymentchannel": "bafk2bzacebt2bhrmo55gkdeyil5bdmy5xo2i6ga4uyvriw7yiqsslro6gpco2",
        "placeholder": "bafk2bzacedfvut2myeleyq67fljcrw4kkmn5pb5dpyozovj7jpoez5irnc3ro",
        "reward": "bafk2bzaceadirgwrviw62skqu32xp4ddozk44gmkb7jh4fas6ppzg2edzpguo",
        "storagemarket": "bafk2bzacecp7lzrz7uvvn7jhi3frgq2xbd3fc2zlk2xrrqkdcpnp4iibwkdr4",
        "storageminer": "bafk2bzacec6cdq46pwy6rh27qfpvlkuzde3ux7eid52hwk5y3hsiemzb4ll4i",
        "storagepower": "bafk2bzacebfp3mye2ic3gzmqfsipwci5jekkzbud5tdqb47gvwqhucd6nlnkk",
        "system": "bafk2bzaceboflgwz425do6punhi4rdeqryc7vf7bf4cjabivzyieki5jqnc3i",
        "verifiedregistry": "bafk2bzacebdwdxvflbvdroevz6jwfr62jffxyi4xdrw6ezirgatqqa3sd2vbc",
    },
    29: {
        "account": "bafk2bzacebbrmtdvy3k7ahdl54qwgybasskncqbz7erx3weakjiafl6ed2gog",
        "cron": "bafk2bzaceatnpdxf4ksiw2ztg32ibvccuuiu3zzvwzcayh2wf4xtm2njn5bkw",
        "datacap": "bafk2bzaceahmuc2ajigccledzvzclo6xl4rv362nur5bmtbhihur6sjfpp5gs",
        "eam": "bafk2bzaceaawfk5ydier5tzoe5axqn4k4k4h5oqapirsam44x5eqkf22dhky6",
        "ethaccount": "bafk2bzaced6ehh3bkznvecsp3pjklkuxc3kfnr4e5uqyhgx4ya4tthr2osd4g",
        "evm": "bafk2bzaceam5g4cslxna6lpl5fgjyrt7a6fqzvqozwwsdoc4i6mfp7zg2kk3a",
        "init": "bafk2bzacecu4wlppcntnurmtabyfq7z3b7jtm5fmlmzwpgcq3nibqbhljxtue",
        "multisig": "bafk2bzaceckpok4qamm3zo3yw2ltyohntrl326pqa3so543b7rfqw5whmajk2",
        "paymentchannel": "bafk2bzacedastpyyxt5rqrog5sjn4sbr5rxqppf4s7qgbhidepv7ipq6amezs",
        "placeholder": "bafk2bzacectyw3f7d5aythr5ntbsnpibr7y5yzifxt5wndyzxu7ekswo6ewao",
        "reward": "bafk2bzaceaq6447ztrvvlsqfjyluljlipkazcpf72rb3bxsdenv7ytfllpm4w",
        "storagemarket": "bafk2bzacebotbjuthlzuzu5hgkq7mjvgo7fxzznhuv5qu5rdfu3fcjnehtmec",
        "storageminer": "bafk2bzacebw3zqt77p6ygo7gvjuz5bmpbc5tbdxne3k6djtfkali62engpsge",
        "storagepower": "bafk2bzacedzywdxljy3s4tg5vejp2unt7xrvu4oxrybt6apmm2rlvelised2c",
        "system": "bafk2bzaceag2owes2s2myf7f2qqjtm2qcgymnurfk2xwhr7zgvrlgaztiostw",
        "verifiedregistry": "bafk2bzacedayv27llmnkvpeutwjcxbikelkmrfkfl4rjopq7d2erj5echmfc4",
    },
}
_MANIFESTS = {
    28: "bafy2bzacebhqxufvuk42n44l2h3ilek5jrp7lgdyapnyu76j5ocgi5koxkh7u",
    29: "bafy2bzaceah7unhfbtauahk3qpxuklckqbpggcxklji74kvwkndwtpisepdns",
}
KNOWN_VERSIONS = (27, 28, 29)
_OLDEST_LISTED = 28


def code_texts(version: int) -> dict[str, str]:
    """Lotus' name of each actor to the CID of its code, at a network version."""
    return _CODES[max(version, _OLDEST_LISTED)]


def code_of(kind: str, version: int) -> Cid:
    """The CID of an actor's code."""
    return parse_cid(code_texts(version)[kind])


def manifest_text(version: int) -> str:
    """The CID of the list of codes."""
    return _MANIFESTS[max(version, _OLDEST_LISTED)]


def kind_of_code(code: Cid) -> str | None:
    """The actor whose code has that CID, in any version; None for another CID."""
    text = code.to_text()
    found = (kind for codes in _CODES.values() for kind, listed in codes.items() if listed == text)
    return next(found, None)
