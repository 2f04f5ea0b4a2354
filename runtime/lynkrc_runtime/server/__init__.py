"""The aiohttp surface: routes, lifecycle, relaying."""
