"""How good the forecast would have been on data whose end is known: `python -m tests.backtest`."""
