"""The cast: who the demo's customers are, what happens to each, and when their story begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Person:
    """A customer of the demo: the app's own user id, a name, a plot and its first day."""

    user: str
    name: str
    plot: str
    day: float = 0


CAST: Final = (
    Person("ada", "Ada Okafor", "loyal"),
    Person("bela", "Bela Novak", "trial converts", 3),
    Person("chidi", "Chidi Eze", "grows", 1),
    Person("dara", "Dara Lindqvist", "upgrades", 6),
    Person("emil", "Emil Castellanos", "yearly", 9),
    Person("fatou", "Fatou Diallo", "payment fails and recovers", 4),
    Person("goran", "Goran Petrov", "payment fails for good", 12),
    Person("hana", "Hana Sato", "pauses and resumes", 15),
    Person("ines", "Ines Duarte", "cancels at period end", 8),
    Person("jonas", "Jonas Weber", "downgrades", 20),
    Person("kaia", "Kaia Holm", "trial without a card pauses, then resumes", 17),
    Person("liam", "Liam Byrne", "quarterly", 5),
    Person("mira", "Mira Patel", "takes an add-on", 11),
    Person("nilo", "Nilo Ferreira", "half-yearly", 2),
    Person("oona", "Oona Virtanen", "cancels", 22),
    Person("pavel", "Pavel Horak", "trial is canceled", 26),
    Person("quynh", "Quynh Tran", "comes back", 14),
    Person("rosa", "Rosa Marchetti", "cancels, then stays", 31),
    Person("sami", "Sami Haddad", "ends unpaid", 24),
    Person("tove", "Tove Nilsen", "small", 7),
    Person("umar", "Umar Siddiqui", "trial is extended", 35),
    Person("vera", "Vera Kowalska", "goes yearly", 28),
    Person("wren", "Wren Gallagher", "payment fails, debt is written off", 38),
    Person("xenia", "Xenia Markou", "billing is suspended for a while", 41),
    Person("yara", "Yara Costa", "trial without a card ends", 44),
    Person("zeno", "Zeno Baptiste", "first payment fails", 47),
    Person("alma", "Alma Jensen", "keeps an add-on", 52),
    Person("bram", "Bram de Wit", "small", 55),
    Person("cleo", "Cleo Laurent", "trial converts", 60),
    Person("dion", "Dion Charles", "loyal", 63),
    Person("esra", "Esra Yilmaz", "upgrades", 66),
    Person("finn", "Finn O'Leary", "small", 70),
    Person("gita", "Gita Rao", "trial is canceled", 76),
    Person("hugo", "Hugo Mercier", "payment fails and recovers", 80),
    Person("isla", "Isla Fraser", "yearly", 84),
    Person("jun", "Jun Park", "trial converts", 90),
    Person("kofi", "Kofi Mensah", "grows", 58),
    Person("lena", "Lena Fischer", "quarterly", 97),
    Person("marek", "Marek Zielinski", "trial without a card ends", 104),
    Person("noor", "Noor Rahman", "small", 111),
    Person("otis", "Otis Freeman", "cancels at period end", 99),
    Person("pia", "Pia Svensson", "loyal", 125),
    Person("ravi", "Ravi Iyer", "trial converts", 133),
    Person("suki", "Suki Tanaka", "will end", 90),
    Person("tomas", "Tomas Rivera", "is paused", 72),
    Person("ugo", "Ugo Romano", "in trial now"),
    Person("vito", "Vito Russo", "past due, in grace"),
    Person("willa", "Willa Stone", "past due, grace over"),
)
