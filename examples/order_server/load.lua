-- The load of the demo, for wrk: sound orders, and one in 500 that the shop cannot take. The same requests in the same
-- order in every run: they are made before the first is sent.

local every = 500
local customers = { "K-1001", "K-1002", "K-1003", "K-1005", "K-1007", "K-1008" }
local countries = { "AT", "CH", "DE", "DK", "FR", "IE", "NL", "NO", "PL", "PT" }
local deliveries = { "standard", "express" }
local articles = {
  "B-100", "B-101", "B-102", "B-103", "C-200", "C-201", "C-202", "C-203", "E-400", "E-401", "E-402", "F-500",
  "F-501", "F-502", "G-600", "G-601", "G-602",
}

-- A linear congruential generator: math.random differs from machine to machine.
local seed = 20240501
local function pick(least, most)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return least + math.floor(seed / 65536) % (most - least + 1)
end

local function one_of(list) return list[pick(1, #list)] end

local function line(article, quantity)
  return string.format('    {"article": "%s", "quantity": %s}', article, quantity)
end

local function sound_lines()
  local lines = {}
  for i = 1, pick(2, 4) do lines[i] = line(one_of(articles), pick(1, 14)) end
  return lines
end

local function order(number, customer, lines)
  local coupon = pick(1, 4) == 1 and '\n  "coupon": "SPRING",' or ""
  return string.format(
    '{\n  "order": %d,\n  "customer": "%s",\n  "country": "%s",\n  "delivery": "%s",%s\n  "lines": [\n%s\n  ]\n}\n',
    number, customer, one_of(countries), one_of(deliveries), coupon, table.concat(lines, ",\n"))
end

-- The orders that fail, each at another step.
local function with_last(lines, last)
  lines[#lines + 1] = last
  return lines
end

local failing = {
  function(number) -- the text breaks off
    local text = order(number, "K-1001", sound_lines())
    return text:sub(1, #text - 30)
  end,
  function(number) -- a quantity that is no number
    return order(number, "K-1002", with_last(sound_lines(), line("C-200", '"two"')))
  end,
  function(number) -- an article that nobody sells
    return order(number, "K-1003", with_last(sound_lines(), line("X-999", 1)))
  end,
  function(number) -- more than one order may have
    return order(number, "K-1005", with_last(sound_lines(), line("D-301", 5000)))
  end,
  function(number) -- more than the customer may owe
    return order(number, "K-1004", with_last(sound_lines(), line("D-301", 3)))
  end,
  function(number) -- a warehouse that does not answer
    return order(number, "K-1008", with_last(sound_lines(), line("Z-900", 1)))
  end,
}

local requests = {}
local next_request = 0

function init()
  local size = every * #failing
  for i = 1, size do
    local body
    if i % every == 0 then
      body = failing[i / every](100000 + i)
    else
      body = order(100000 + i, one_of(customers), sound_lines())
    end
    local headers = {
      ["Content-Type"] = "application/json",
      ["traceparent"] = string.format("00-%016x%016x-%016x-01", 0xdeca, i, i),
    }
    requests[i] = wrk.format("POST", "/order", headers, body)
  end
  io.stderr:write("ready\n")
end

function request()
  next_request = next_request % #requests + 1
  return requests[next_request]
end

-- One line of JSON for the report.
function done(summary, latency)
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "p50_us": %d, "p99_us": %d, "answers_4xx_5xx": %d, "socket_errors": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
