// The widget's words in Chinese and English.

const en = {
  title: "Chat with us", open: "Open chat", close: "Close chat", unread: (n) => `${n} unread`,
  message: "Your message", placeholder: "Write a message…", send: "Send", attach: "Send a picture or file",
  connecting: "Connecting…", online: "We are here", offline: "Offline. What you write is sent later.",
  refused: "You could not be signed in. Please sign in again.", hello: "Hello! How can we help?",
  sending: "sending", sent: "sent", read: "read", failed: "not sent", recalled: "Message taken back",
  recall: "Take back", typing: (who) => `${who || "We"} typing…`, assigned: (who) => `${who} is answering you`,
  ended: "This conversation has ended. How did we do?", stars: (n) => `${n} of 5`, comment: "Anything to add?",
  rate: "Send rating", thanks: "Thank you for your rating.", tooBig: "This file is too big.",
  uploadFailed: "The file could not be sent.", picture: "Picture", file: "File", you: "You", bot: "Assistant",
  agent: "Agent", slow: "Too fast for us. Your message follows in a moment.",
};

const zh = {
  title: "在线客服", open: "打开聊天", close: "关闭聊天", unread: (n) => `${n} 条未读`,
  message: "您的消息", placeholder: "请输入消息…", send: "发送", attach: "发送图片或文件",
  connecting: "正在连接…", online: "客服在线", offline: "网络已断开，您写的内容稍后会发出。",
  refused: "登录信息无效，请重新登录。", hello: "您好！请问有什么可以帮您？",
  sending: "发送中", sent: "已发送", read: "已读", failed: "未发送", recalled: "消息已撤回",
  recall: "撤回", typing: (who) => `${who || "客服"}正在输入…`, assigned: (who) => `${who} 为您服务`,
  ended: "本次会话已结束，请您评价。", stars: (n) => `${n} 分（满分 5 分）`, comment: "想补充的话",
  rate: "提交评价", thanks: "感谢您的评价。", tooBig: "文件太大。",
  uploadFailed: "文件没有发出去。", picture: "图片", file: "文件", you: "我", bot: "智能助手",
  agent: "客服", slow: "发送太快，稍后会自动发出。",
};

export const wordsFor = (lang) => (String(lang || "").toLowerCase().startsWith("zh") ? zh : en);
