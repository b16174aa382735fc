"""The chart of accounts: the lines every journal posting is made to."""

from __future__ import annotations

from enum import StrEnum


class Account(StrEnum):
    """A line in the chart of accounts; the side that grows it is its normal side."""

    PROVIDER_BALANCE = "provider_balance"  # asset, debit: money the provider holds for us
    RECEIVABLES = "receivables"  # asset, debit: owed to us on issued invoices
    BILLED_REVENUE = "billed_revenue"  # income, credit: invoiced, before any recognition over time
    TAX_PAYABLE = "tax_payable"  # liability, credit: tax collected for the authorities
    BAD_DEBT = "bad_debt"  # expense, debit: issued and given up
