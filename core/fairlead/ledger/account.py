"""Keep the account: balances, equity, and each strategy's share of what happened to them.

Every balance is valued by somebody, so that the strategies' parts add up to the change of
equity: a strategy's base asset by its own book (the first of two strategies with one base owns
what was there and what others move), any other asset as *other* of the venue's first strategy.
Markets exchange base for quote here; contracts held on margin need a book of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from fairlead.ledger.arithmetic import exactly
from fairlead.ledger.estimate import IncrementSeries
from fairlead.ledger.mark import Marks, Rate
from fairlead.ledger.memory import AccountMemory
from fairlead.ledger.nav import Nav
from fairlead.ledger.pnl import BookedFill, PnlParts
from fairlead.ledger.strategy import StrategyLedger, StrategyTerms
from fairlead.model import ONE, ZERO, Fill, MarketId, statistic

__all__ = ["AccountLedger", "AccountSample", "AssetFlow"]

_MARK_AGE_NS = 60_000_000_000


@dataclass(slots=True)
class AssetFlow:
    """One asset at one venue: where it started and what moved it; all exact."""

    start: Decimal = ZERO
    fills_net: Decimal = ZERO
    fees: Decimal = ZERO
    transfers: Decimal = ZERO

    @property
    def balance(self) -> Decimal:
        """Give start + fills_net − fees + transfers: what the venue should hold for us."""
        with exactly():
            return self.start + self.fills_net - self.fees + self.transfers


@dataclass(frozen=True, slots=True)
class AccountSample:
    """The account at one instant; ``equity`` None = an asset has no mark young enough."""

    at_ns: int
    equity: Decimal | None
    parts: PnlParts
    #: Drawdown of unitised NAV now, as a share of its peak.
    drawdown: Decimal
    #: Age of the oldest mark that the equity rests on; 0 for the currency itself.
    mark_age_ns: int


@dataclass(slots=True)
class _Asset:
    # Who books the changes in value: ``book`` when the asset is its base, else as "other".
    owner: StrategyLedger
    is_base: bool
    rate: Decimal | None = None


class AccountLedger:
    """All venues' balances and all strategies' profit in one currency.

    Feed it in the order of events; it never asks for the time. Marks matter only at a fill, a
    target, a transfer or a sample, so `on_mark` need not be called for every message: call it
    with the mid in force right before each of these, and once a tick for every valid book.
    """

    def __init__(
        self,
        currency: str,
        strategies: Sequence[StrategyTerms],
        *,
        mark_age_ns: int = _MARK_AGE_NS,
        day_offset_ns: int = 0,
    ) -> None:
        if not strategies:
            raise ValueError("an account without a strategy has nobody to book for")
        self.currency = currency
        self._strategies = {terms.name: StrategyLedger(terms) for terms in strategies}
        #: By name; those that left a running account stay, with what they hold.
        self.strategies: Mapping[str, StrategyLedger] = self._strategies
        self.marks = Marks(currency)
        self.nav = Nav(day_offset_ns)
        #: The same without the price moves of what strategies mean to hold.
        self.trading_nav = Nav(day_offset_ns)
        self._before: AccountMemory | None = None
        #: Trading PnL of all strategies by the minute.
        self.trading = IncrementSeries()
        self.flows: dict[tuple[str, str], AssetFlow] = {}
        #: Equity by the first marks; None until every asset had one.
        self.start_equity: Decimal | None = None
        #: The value of all transfers at the marks of their moment.
        self.transferred = ZERO
        #: The oldest mark that any sample rested on.
        self.oldest_mark_ns = 0
        self._mark_age_ns = mark_age_ns
        self._assets: dict[tuple[str, str], _Asset] = {}
        self._owners: dict[tuple[str, str], StrategyLedger] = {}
        self._firsts: dict[str, StrategyLedger] = {}
        for strategy in self.strategies.values():
            instrument = strategy.terms.instrument
            self._owners.setdefault((instrument.market.venue, instrument.base), strategy)
            self._firsts.setdefault(instrument.market.venue, strategy)
        # A market quoted in the currency itself may be what another's quote is valued by.
        self._by_quote = sorted(
            self.strategies.values(), key=lambda s: s.terms.instrument.quote != currency
        )

    def enlist(self, terms: StrategyTerms) -> None:
        """Let a strategy join the running account, or come back to its own book with new terms.

        What it finds of its base asset becomes its own as of the marks in force, unless another
        strategy has it; so nothing is won or lost by joining.
        """
        known = self._strategies.get(terms.name)
        if known is not None:
            known.terms = terms
            return
        self._settle()
        strategy = self._strategies[terms.name] = StrategyLedger(terms)
        self._by_quote = sorted(
            self._strategies.values(), key=lambda s: s.terms.instrument.quote != self.currency
        )
        key = (terms.instrument.market.venue, terms.instrument.base)
        self._firsts.setdefault(key[0], strategy)
        if self._owners.setdefault(key, strategy) is not strategy:
            return
        entry = self._assets.get(key)
        if entry is not None:
            if entry.rate is not None:
                strategy.on_mark(entry.rate)
            strategy.move(self._flow(*key).balance)
            self._assets[key] = _Asset(strategy, is_base=True)

    def open(self, venue: str, balances: Mapping[str, Decimal]) -> None:
        """Start from what a venue holds, before anything of it trades; once per venue."""
        for asset, amount in sorted(balances.items()):
            self._flow(venue, asset).start = amount
            self._move(venue, asset, amount)

    def on_mark(self, market: MarketId, mid: Decimal, at_ns: int) -> None:
        """Put the mid of a valid book in force, changed or not; of any market, traded or not."""
        base, _, quote = market.symbol.partition("/")
        self.marks.update(market, base, quote.partition(":")[0], mid, at_ns)

    def on_target(self, strategy: str, target: Decimal) -> None:
        """Change a strategy's target inventory as of the marks in force."""
        book = self.strategies[strategy].book
        if target != book.target:
            self._settle()
            book.on_target(target)

    def on_fill(self, strategy: str, fill: Fill, reference: Decimal | None = None) -> BookedFill:
        """Book a fill and its fee at the marks in force; ``reference`` is the quote's own.

        The answer is in the market's quote currency; its mark is the market's own mid.
        """
        self._settle()
        owner = self.strategies[strategy]
        instrument = owner.terms.instrument
        venue = instrument.market.venue
        rate = self._rate(venue, instrument.quote)
        with exactly():
            notional = instrument.notional(fill.price, fill.quantity)
            signed = fill.side.sign * fill.quantity * instrument.multiplier
            value = ZERO if rate is None else rate * notional
            price = fill.price * (rate or ZERO)
            promised = None if reference is None or rate is None else reference * rate
            self._flow(venue, instrument.base).fills_net += signed
            self._flow(venue, instrument.quote).fills_net -= fill.side.sign * notional
        booked = owner.book.on_fill(fill.side, fill.quantity, price, promised)
        if booked.mark is not None:
            owner.cost.on_fill(fill.side, fill.quantity, price)
        elif self.start_equity is not None:
            # what was bought gets its value, as other, with the first mark
            owner.book.on_other(-fill.side.sign * value)
        self._move(venue, instrument.quote, -fill.side.sign * notional)
        self._book_fee(owner, fill)
        owner.totals.add(fill, notional, value)
        mid = self.marks.mid(instrument.market)
        if booked.mark is None or mid is None:
            return booked
        with exactly():
            edge = None if reference is None else signed * (reference - fill.price)
            return BookedFill(mid, signed * (mid - fill.price), edge)

    def on_transfer(self, venue: str, asset: str, amount: Decimal) -> None:
        """Book money that came in (positive) or left without a trade."""
        self._settle()
        before = self._equity()
        rate = self._rate(venue, asset)
        with exactly():
            self._flow(venue, asset).transfers += amount
            value = ZERO if rate is None else amount * rate
            self.transferred += value
        self._move(venue, asset, amount)
        if before is not None:
            self.nav.transfer(before, value)
            self.trading_nav.transfer(before - self._holding(), value)

    def sample(self, at_ns: int) -> AccountSample:
        """Look at the account, as every tick does: equity, parts, drawdown, the minute."""
        self._settle()
        equity, age_ns = self._equity(), self._age_ns(at_ns)
        self.oldest_mark_ns = max(self.oldest_mark_ns, age_ns)
        usable = age_ns <= self._mark_age_ns
        total = PnlParts()
        for strategy in self.strategies.values():
            parts = strategy.book.parts
            total += parts
            strategy.trading.sample(at_ns, statistic(parts.trading))
            if usable and self.start_equity is not None:
                strategy.drawdown.sample(self.start_equity + parts.total)
        self.trading.sample(at_ns, statistic(total.trading))
        if not usable:
            equity = None
        if equity is not None:
            self._take_up(equity)
            self.nav.sample(at_ns, equity)
            self.trading_nav.sample(at_ns, equity - total.holding)
        return AccountSample(at_ns, equity, total, self.nav.drawdown.now, age_ns)

    def resume(self, before: AccountMemory) -> None:
        """Go on from an earlier run's peak and day, with the first sample."""
        self._before = before

    def memory(self, *, settled: bool) -> AccountMemory | None:
        """Give what outlives the run; ``settled`` = nothing of ours can fill any more."""
        nav, trading = self.nav.state, self.trading_nav.state
        if nav is None or trading is None:
            return self._before
        if not settled:
            return AccountMemory(nav, trading)
        balances = {f"{venue} {asset}": flow.balance for (venue, asset), flow in self.flows.items()}
        return AccountMemory(nav, trading, balances)

    def rate(self, asset: str, now_ns: int) -> Rate | None:
        """Give the currency per unit of ``asset``; None = no mark path, or one too old."""
        found = self.marks.rate(asset)
        if found is None or found.known_ns is None:
            return found
        return found if now_ns - found.known_ns <= self._mark_age_ns else None

    def unbalanced(self) -> Decimal | None:
        """Give ΔE − transfers − Σ parts: exactly zero, or this ledger has a bug; None = no E."""
        self._settle()
        equity = self._equity()
        if equity is None or self.start_equity is None:
            return None
        with exactly():
            parts = sum((s.book.parts.total for s in self.strategies.values()), ZERO)
            return equity - self.start_equity - self.transferred - parts

    def _take_up(self, equity: Decimal) -> None:
        before, self._before = self._before, None
        if before is None:
            return
        moved = ZERO
        for (venue, asset), flow in self.flows.items() if before.balances is not None else ():
            change = flow.start - (before.balances or {}).get(f"{venue} {asset}", ZERO)
            moved += change * ((self._rate(venue, asset) or ZERO) if change else ZERO)
        self.nav.restore(before.nav)
        # Between two runs nothing of ours traded, so what moved without prices was a transfer.
        self.nav.transfer(equity - moved, moved)
        self.trading_nav.restore(before.trading, equity=equity - self._holding())

    def _holding(self) -> Decimal:
        return sum((one.book.parts.holding for one in self.strategies.values()), ZERO)

    def _book_fee(self, owner: StrategyLedger, fill: Fill) -> None:
        if not fill.fee:
            return
        instrument = owner.terms.instrument
        venue = instrument.market.venue
        with exactly():
            self._flow(venue, fill.fee_asset).fees += fill.fee
        if fill.fee_asset == instrument.base:
            owner.book.on_fee(fill.fee, owner.book.mark or ZERO, in_base=True)
            if owner.book.mark is not None:
                owner.cost.move(-fill.fee, owner.book.mark)
            return
        rate = self._rate(venue, fill.fee_asset)
        owner.book.on_fee(fill.fee, rate or ZERO, in_base=False)
        self._move(venue, fill.fee_asset, -fill.fee)

    # A leg that no strategy's own trade explains: the owner of the asset carries it from here.
    def _move(self, venue: str, asset: str, amount: Decimal) -> None:
        entry = self._assets.get((venue, asset))
        if entry is None:
            owner = self._owners.get((venue, asset))
            fallback = self._firsts.get(venue) or next(iter(self.strategies.values()))
            entry = _Asset(owner or fallback, owner is not None)
            self._assets[venue, asset] = entry
            if not entry.is_base:
                entry.rate = self._rate(venue, asset)
        if entry.is_base:
            entry.owner.move(amount)

    # Bring every book and every other asset up to the marks in force.
    def _settle(self) -> None:
        started = self.start_equity is not None
        for strategy in self._by_quote:
            instrument = strategy.terms.instrument
            mid = self.marks.mid(instrument.market)
            rate = self._rate(instrument.market.venue, instrument.quote)
            if mid is None or rate is None:
                continue
            first = strategy.book.mark is None
            with exactly():
                # a market that trades the currency itself moves the other asset's worth
                own = ONE if instrument.base == self.currency else mid * rate
            strategy.on_mark(own)
            if first and started and strategy.book.value:
                strategy.book.on_other(strategy.book.value)
        for (venue, asset), entry in self._assets.items():
            rate = None if entry.is_base else self._rate(venue, asset)
            if rate is None or rate == entry.rate:
                continue
            if entry.rate is not None or started:
                with exactly():
                    change = rate - (entry.rate or ZERO)
                    entry.owner.book.on_other(self.flows[venue, asset].balance * change)
            entry.rate = rate
        if not started:
            self._start()

    def _start(self) -> None:
        equity = self._equity()
        if equity is not None and self.flows:
            with exactly():
                parts = sum((s.book.parts.total for s in self.strategies.values()), ZERO)
                self.start_equity = equity - self.transferred - parts

    def _equity(self) -> Decimal | None:
        total = ZERO
        with exactly():
            for strategy in self.strategies.values():
                value = strategy.book.value
                if value is None and strategy.book.quantity:
                    return None
                total += value or ZERO
            for key, entry in self._assets.items():
                balance = ZERO if entry.is_base else self.flows[key].balance
                if balance and entry.rate is None:
                    return None
                total += balance * (entry.rate or ZERO)
        return total

    def _age_ns(self, now_ns: int) -> int:
        known = [
            self.marks.known_ns(strategy.terms.instrument.market)
            for strategy in self.strategies.values()
            if strategy.book.quantity
        ]
        for (_, asset), entry in self._assets.items():
            if not entry.is_base and entry.rate is not None:
                rate = self.marks.rate(asset)
                known.append(None if rate is None else rate.known_ns)
        return max((now_ns - at_ns for at_ns in known if at_ns is not None), default=0)

    # What one unit is worth here: by the owner's own book, else by the best mark path.
    def _rate(self, venue: str, asset: str) -> Decimal | None:
        owner = self._owners.get((venue, asset))
        if owner is not None and asset != self.currency:
            return owner.book.mark
        found = self.marks.rate(asset)
        return None if found is None else found.value

    def _flow(self, venue: str, asset: str) -> AssetFlow:
        return self.flows.setdefault((venue, asset), AssetFlow())
