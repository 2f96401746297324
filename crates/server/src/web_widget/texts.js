// What the widget says, in its three languages.

export const TEXTS = {
  en: {
    chats: "Your chats", back: "Back to the chats", close: "Close the chat", language: "Language",
    empty: "No chats yet. Ask the seller whatever you want to know.", more: "Show more chats",
    ask: "Ask the seller", askOrder: "Ask about order {id}", askReturn: "Ask about return {id}",
    order: "Order {id}", returned: "Return {id}", direct: "Question to the seller", disputeOf: "Dispute: {what}",
    older: "Show earlier messages", log: "Messages", write: "Your message", send: "Send", attach: "Attach files",
    sending: "Sending…", uploading: "Uploading", failed: "Not sent.", retry: "Try again", discard: "Discard",
    you: "You", PARTNER: "Seller", SUPPORT: "Support", MARKET: "Marketplace", unread: "new",
    file: "{name}, {size}", tooLarge: "{name} is larger than 5 MB.", tooMany: "At most 10 files at a time.",
    fileGone: "no longer kept",
    emptyFile: "{name} is empty.",
    dispute: "Open a dispute", disputeQuestion: "Open a dispute?",
    disputeConsequence: "An arbiter of the marketplace joins in a chat of its own and decides. This chat goes on.",
    disputeYes: "Open the dispute", no: "Cancel",
    offline: "No connection. Trying again…", noToken: "The chat could not be opened. Reload the page.",
    tooMuch: "That was a lot at once. Please wait a little.", closed: "The chats of this shop are closed for now.",
    wrong: "Something went wrong: {what}", rule: "That is not possible in this chat now.",
    NEW: "New", WAITING_FOR_CUSTOMER: "Waiting for you", WAITING_FOR_PARTNER: "Waiting for the seller",
    WAITING_FOR_ARBITER: "Waiting for the arbiter", WAITING_FOR_MARKET: "Waiting for the marketplace", FINISHED: "Finished",
  },
  ru: {
    chats: "Ваши чаты", back: "Назад к чатам", close: "Закрыть чат", language: "Язык",
    empty: "Чатов пока нет. Спросите продавца о чём угодно.", more: "Показать ещё чаты",
    ask: "Написать продавцу", askOrder: "Спросить о заказе {id}", askReturn: "Спросить о возврате {id}",
    order: "Заказ {id}", returned: "Возврат {id}", direct: "Вопрос продавцу", disputeOf: "Спор: {what}",
    older: "Показать более ранние сообщения", log: "Сообщения", write: "Ваше сообщение", send: "Отправить", attach: "Прикрепить файлы",
    sending: "Отправляется…", uploading: "Загружается", failed: "Не отправлено.", retry: "Повторить", discard: "Удалить",
    you: "Вы", PARTNER: "Продавец", SUPPORT: "Поддержка", MARKET: "Маркетплейс", unread: "новое",
    file: "{name}, {size}", tooLarge: "Файл {name} больше 5 МБ.", tooMany: "Не больше 10 файлов за раз.",
    fileGone: "больше не хранится",
    emptyFile: "Файл {name} пуст.",
    dispute: "Открыть спор", disputeQuestion: "Открыть спор?",
    disputeConsequence: "В отдельном чате к вам присоединится арбитр маркетплейса и примет решение. Этот чат продолжится.",
    disputeYes: "Открыть спор", no: "Отмена",
    offline: "Нет связи. Пробуем ещё раз…", noToken: "Не удалось открыть чат. Обновите страницу.",
    tooMuch: "Слишком много сообщений сразу. Подождите немного.", closed: "Чаты этого магазина сейчас закрыты.",
    wrong: "Что-то пошло не так: {what}", rule: "Сейчас в этом чате это невозможно.",
    NEW: "Новый", WAITING_FOR_CUSTOMER: "Ждёт вашего ответа", WAITING_FOR_PARTNER: "Ждёт ответа продавца",
    WAITING_FOR_ARBITER: "Ждёт ответа арбитра", WAITING_FOR_MARKET: "Ждёт ответа маркетплейса", FINISHED: "Завершён",
  },
  zh: {
    chats: "我的会话", back: "返回会话列表", close: "关闭聊天", language: "语言",
    empty: "还没有会话。有任何问题都可以问卖家。", more: "显示更多会话",
    ask: "咨询卖家", askOrder: "咨询订单 {id}", askReturn: "咨询退货 {id}",
    order: "订单 {id}", returned: "退货 {id}", direct: "咨询卖家", disputeOf: "纠纷：{what}",
    older: "显示更早的消息", log: "消息", write: "输入消息", send: "发送", attach: "添加附件",
    sending: "正在发送…", uploading: "正在上传", failed: "未发送。", retry: "重试", discard: "删除",
    you: "我", PARTNER: "卖家", SUPPORT: "客服", MARKET: "平台", unread: "新消息",
    file: "{name}，{size}", tooLarge: "{name} 超过 5 MB。", tooMany: "一次最多 10 个文件。",
    fileGone: "已不再保存",
    emptyFile: "{name} 是空文件。",
    dispute: "发起纠纷", disputeQuestion: "要发起纠纷吗？",
    disputeConsequence: "平台仲裁员将加入一个单独的会话并作出裁决。当前会话仍可继续。",
    disputeYes: "发起纠纷", no: "取消",
    offline: "连接已断开，正在重试…", noToken: "无法打开聊天，请刷新页面。",
    tooMuch: "发送过于频繁，请稍候。", closed: "该店铺的会话暂时关闭。",
    wrong: "出现问题：{what}", rule: "当前会话暂时无法执行此操作。",
    NEW: "新会话", WAITING_FOR_CUSTOMER: "等待您回复", WAITING_FOR_PARTNER: "等待卖家回复",
    WAITING_FOR_ARBITER: "等待仲裁员回复", WAITING_FOR_MARKET: "等待平台回复", FINISHED: "已结束",
  },
};

/** The first of the languages wished for that there is. */
export function chosen(wished) {
  for (const one of wished) {
    const language = String(one || "").slice(0, 2).toLowerCase();
    if (Object.hasOwn(TEXTS, language)) return language;
  }
  return "en";
}
