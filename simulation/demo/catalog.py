"""What the demo's company sells: a note-taking app in three plans, and an add-on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PROJECT: Final = "demo"
PROJECT_NAME: Final = "Lumen Notes"
APP_NAME: Final = "notes"


@dataclass(frozen=True)
class Price:
    """Terms at which a product is sold: minor units of USD, every `count` intervals."""

    key: str
    amount: int
    interval: str
    count: int = 1


@dataclass(frozen=True)
class Product:
    """Something sold: the plan it gives, the features the plan declares, its prices."""

    plan: str
    name: str
    features: dict[str, str]
    prices: tuple[Price, ...]
    grace_days: int = 7
    leeway_hours: int = 24

    @property
    def metadata(self) -> dict[str, str]:
        """What Folio reads of the product, as its owner writes it in Stripe."""
        declared = {f"folio_feature_{key}": text for key, text in self.features.items()}
        return {
            "folio_project": PROJECT,
            "folio_plan": self.plan,
            "folio_grace_days": str(self.grace_days),
            "folio_leeway_hours": str(self.leeway_hours),
            **declared,
        }


_SUPPORT: Final = "basic<priority<dedicated"

PRODUCTS: Final = (
    Product(
        plan="starter",
        name="Lumen Starter",
        features={
            "notebooks": "3",
            "export": "false",
            "support": f"basic in {_SUPPORT}",
        },
        prices=(Price("starter_monthly", 900, "month"),),
        grace_days=3,
    ),
    Product(
        plan="pro",
        name="Lumen Pro",
        features={
            "notebooks": "25",
            "export": "true",
            "support": f"priority in {_SUPPORT}",
            "theme": '{"accent": "#7c5cff", "dark": true}',
        },
        prices=(
            Price("pro_monthly", 2_900, "month"),
            Price("pro_quarterly", 7_900, "month", 3),
            Price("pro_half_yearly", 14_900, "month", 6),
            Price("pro_yearly", 27_900, "year"),
        ),
    ),
    Product(
        plan="team",
        name="Lumen Team",
        features={
            "notebooks": "unlimited",
            "export": "true",
            "sso": "true",
            "support": f"dedicated in {_SUPPORT}",
            "theme": '{"accent": "#00a37a", "dark": true, "logo": "own"}',
        },
        prices=(
            Price("team_monthly", 1_500, "month"),
            Price("team_yearly", 14_400, "year"),
        ),
        grace_days=14,
        leeway_hours=48,
    ),
    Product(
        plan="archive",
        name="Lumen Archive",
        features={"archive_years": "10"},
        prices=(Price("archive_monthly", 500, "month"),),
    ),
)
