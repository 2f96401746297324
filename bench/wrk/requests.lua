-- Requests over random chats, written out before the clock starts, so that making one costs nothing.
-- Arguments: the operation, the file of chats; more for some operations.

local requests, next_one = {}, 0

local TEXT = '{"message":"Добрый день! Посылка уже в пути, ждём её в пункте выдачи завтра к вечеру. Хорошего дня!"}'

local make = {
  getChat = function(business, chat)
    return "GET", "/v2/businesses/" .. business .. "/chat?chatId=" .. chat
  end,
  getChats = function(business, _, query, body)
    return "POST", "/v2/businesses/" .. business .. "/chats?limit=20" .. query, body
  end,
  getChatHistory = function(business, chat, query, body)
    return "POST", "/v2/businesses/" .. business .. "/chats/history?limit=50&chatId=" .. chat .. query, body
  end,
  sendMessageToChat = function(business, chat)
    return "POST", "/v2/businesses/" .. business .. "/chats/message?chatId=" .. chat, TEXT
  end,
}

function init(arguments)
  local operation, file = arguments[1], arguments[2]
  local query, body = arguments[3] or "", arguments[4] or "{}"
  for line in io.lines(file) do
    local business, key, chat = line:match("^(%S+) (%S+) (%S+)$")
    local method, path, of_request = make[operation](business, chat, query, body)
    local headers = { ["Host"] = "127.0.0.1", ["Api-Key"] = key }
    if of_request then
      headers["Content-Type"] = "application/json"
    end
    requests[#requests + 1] = wrk.format(method, path, headers, of_request)
  end
end

function request()
  next_one = next_one % #requests + 1
  return requests[next_one]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"p50":%d,"p99":%d,"refused":%d,"broken":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
