"""Who may do what: scopes and permissions, tokens and the keys behind them, and the page's login."""
