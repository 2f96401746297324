//! How chats and messages are shown to people.

use comfy_table::{Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use prilavok_client::{Chat, ContextType, Message};

/// A table of chats.
pub(super) fn table(chats: &[Chat]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["ID", "STATUS", "TYPE", "ABOUT", "CUSTOMER", "UPDATED"]);
    for chat in chats {
        table.add_row([
            chat.id.to_string(),
            plain(chat.status.as_str()),
            plain(chat.kind.as_str()),
            about(chat),
            customer(chat),
            time(chat.updated_at),
        ]);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect()
}

/// A chat in a line.
pub(super) fn heading(chat: &Chat) -> String {
    let (kind, status) = (plain(chat.kind.as_str()), plain(chat.status.as_str()));
    format!(
        "{kind} {} with {} about {}: {status}\n",
        chat.id,
        customer(chat),
        about(chat)
    )
}

/// A message, and a line for each of its files.
pub(super) fn message(message: &Message) -> String {
    let (at, sender) = (time(message.created_at), plain(message.sender.as_str()));
    let mut shown = format!("{at}  {sender:<8}");
    if let Some(text) = &message.text {
        // Further lines stand below the first one.
        let lines: Vec<_> = text.lines().map(plain).collect();
        shown += &format!("  {}", lines.join(&format!("\n{:28}", "")));
    }
    for file in &message.files {
        shown += &format!(
            "  [{}, {} bytes] {}",
            plain(&file.name),
            file.size,
            plain(&file.url)
        );
    }
    shown.push('\n');
    shown
}

/// A time as clocks here show it.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned_datetime(TimeZone::system())
        .strftime("%Y-%m-%d %H:%M")
        .to_string()
}

fn customer(chat: &Chat) -> String {
    let name = chat
        .context
        .customer
        .as_ref()
        .and_then(|customer| customer.name.as_deref());
    plain(name.unwrap_or("-"))
}

fn about(chat: &Chat) -> String {
    let context = &chat.context;
    match (&context.kind, context.order_id, context.return_id) {
        (ContextType::Return, Some(order), Some(returned)) => format!("return {returned} of order {order}"),
        (ContextType::Return, None, Some(returned)) => format!("return {returned}"),
        (ContextType::Order, Some(order), _) => format!("order {order}"),
        (ContextType::Direct, ..) => "a question".to_owned(),
        (other, ..) => plain(other.as_str()),
    }
}

/// Text of strangers without the characters that command terminals.
fn plain(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}
