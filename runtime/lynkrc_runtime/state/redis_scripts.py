"""The operations of a Redis store, each one script: Redis runs it whole, or not at all.

Time is Redis' own, so replicas need not agree on theirs. The first argument of each script is how
many seconds to add to it, 0 outside of tests. Amounts travel as text and are added by HINCRBY, so
they stay exact where Lua's numbers would not. Of what is written newly the first command is one
that a Redis without memory refuses: later ones of a script it lets pass.

A window is a hash of slices. An account is a hash (`s` spent, `r` reserved, `h:ID` what a
reservation holds) beside a sorted set of its reservations by when they end.
"""

_TIME = """
local t = redis.call('TIME')
local now = tonumber(t[1]) + tonumber(t[2]) / 1000000 + tonumber(ARGV[1])
"""

_WINDOWS = (
    _TIME
    + """
local function slices(key, within, width)
    local oldest = math.floor((now - within) / width)
    -- Farther ahead than the time itself: counted by a clock that was set back since.
    local newest = math.floor((now + within) / width)
    local found, total = {}, 0
    local all = redis.call('HGETALL', key)
    for i = 1, #all, 2 do
        local number, amount = tonumber(all[i]), tonumber(all[i + 1])
        if number < oldest or number > newest then
            redis.call('HDEL', key, all[i])
        else
            found[#found + 1] = {number, amount}
            total = total + amount
        end
    end
    table.sort(found, function(a, b) return a[1] < b[1] end)
    return found, total
end

local function count(key, within, width, amount)
    redis.call('HINCRBY', key, string.format('%d', math.floor(now / width)), amount)
    redis.call('PEXPIRE', key, string.format('%d', math.ceil((within + width) * 1000)))
end
"""
)

TAKE = (
    _WINDOWS
    + """
for i, key in ipairs(KEYS) do
    local at = 2 + (i - 1) * 4
    local limit, amount = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    local within, width = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local found, total = slices(key, within, width)
    if total + amount > limit then
        if amount <= limit then
            for _, slice in ipairs(found) do
                total = total - slice[2]
                if total + amount <= limit then
                    local wait = (slice[1] + 1) * width + within - now
                    return {i - 1, string.format('%.6f', wait)}
                end
            end
        end
        return {i - 1}
    end
end
for i, key in ipairs(KEYS) do
    local at = 2 + (i - 1) * 4
    if tonumber(ARGV[at + 1]) ~= 0 then
        count(key, tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), ARGV[at + 1])
    end
end
return {}
"""
)
"""KEYS: windows. ARGV of each: limit, amount, seconds, seconds of a slice."""

CORRECT = (
    _WINDOWS
    + """
for i, key in ipairs(KEYS) do
    local at = 2 + (i - 1) * 4
    local amount = tonumber(ARGV[at + 1])
    local within, width = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    if amount > 0 then
        count(key, within, width, ARGV[at + 1])
    elseif amount < 0 then
        for _, slice in ipairs(slices(key, within, width)) do
            local part = math.min(slice[2], -amount)
            redis.call('HINCRBY', key, string.format('%d', slice[1]), string.format('%d', -part))
            amount = amount + part
            if amount >= 0 then break end
        end
    end
end
return 0
"""
)
"""As `TAKE`; the limits do not count."""

_ACCOUNTS = (
    _TIME
    + """
local function release(account, ends, id)
    local held = redis.call('HGET', account, 'h:' .. id)
    if held then
        if held ~= '0' then redis.call('HINCRBY', account, 'r', '-' .. held) end
        redis.call('HDEL', account, 'h:' .. id)
        redis.call('ZREM', ends, id)
    end
end

local function expire(account, ends)
    local before = string.format('%.6f', now)
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', ends, '-inf', before)) do
        release(account, ends, id)
        redis.call('ZREM', ends, id)
    end
end

local function forget(key, time)
    redis.call('PEXPIREAT', key, string.format('%d', (time - tonumber(ARGV[1])) * 1000))
end

local function balances(first)
    local found = {}
    for i = first, #KEYS, 2 do
        expire(KEYS[i], KEYS[i + 1])
        found[#found + 1] = redis.call('HGET', KEYS[i], 's') or '0'
        found[#found + 1] = redis.call('HGET', KEYS[i], 'r') or '0'
    end
    return found
end
"""
)

RESERVE = (
    _ACCOUNTS
    + """
local id, expires = ARGV[2], tonumber(ARGV[3])
if redis.call('EXISTS', KEYS[1]) == 1 then return {-1, balances(2)} end
for i = 2, #KEYS, 2 do
    local at = 4 + (i - 2) * 2
    local limit, amount = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
    expire(KEYS[i], KEYS[i + 1])
    local used = tonumber(redis.call('HGET', KEYS[i], 's') or '0')
        + tonumber(redis.call('HGET', KEYS[i], 'r') or '0')
        - tonumber(redis.call('HGET', KEYS[i], 'h:' .. id) or '0')
    local over = used >= limit
    if ARGV[at + 2] == '1' then over = used + amount > limit end
    if over then return {i / 2 - 1, balances(2)} end
end
for i = 2, #KEYS, 2 do
    local at = 4 + (i - 2) * 2
    release(KEYS[i], KEYS[i + 1], id)
    redis.call('HSET', KEYS[i], 'h:' .. id, ARGV[at + 1])
    redis.call('HINCRBY', KEYS[i], 'r', ARGV[at + 1])
    redis.call('ZADD', KEYS[i + 1], string.format('%.6f', now + expires), id)
end
local found = balances(2)
for i = 2, #KEYS, 2 do
    local until_ = tonumber(ARGV[4 + (i - 2) * 2 + 3])
    forget(KEYS[i], until_)
    forget(KEYS[i + 1], until_)
end
return {-1, found}
"""
)
"""KEYS: the mark of what is settled, then of each account its hash and its sorted set.

ARGV: reservation, seconds; of each account limit, amount, 1 for a hard one, and until when.
"""

SETTLE = (
    _ACCOUNTS
    + """
-- Whatever is not an account fails here, before anything is written.
balances(2)
if not redis.call('SET', KEYS[1], '', 'NX', 'PX', ARGV[3]) then return {1, balances(2)} end
for i = 2, #KEYS, 2 do
    local at = 4 + (i - 2)
    release(KEYS[i], KEYS[i + 1], ARGV[2])
    redis.call('HINCRBY', KEYS[i], 's', ARGV[at])
end
local found = balances(2)
for i = 2, #KEYS, 2 do
    local until_ = tonumber(ARGV[4 + (i - 2) + 1])
    forget(KEYS[i], until_)
    forget(KEYS[i + 1], until_)
end
return {0, found}
"""
)
"""KEYS as of `RESERVE`. ARGV: reservation, milliseconds the mark stays; of each account amount and
until when.
"""

BALANCES = (
    _ACCOUNTS
    + """
return balances(1)
"""
)
"""KEYS: of each account its hash and its sorted set."""
