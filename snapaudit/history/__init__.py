"""History: audits → *record* → a database → series, differences, forecasts.

It knows neither rules nor endpoints; `snapaudit.app.history` brings them together.
"""
