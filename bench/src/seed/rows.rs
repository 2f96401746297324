//! The rows of a seeded store, each a function of its number.

use indicatif::ProgressBar;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use super::Size;

/// Where all that looks random begins.
pub(super) const SEED: u64 = 20_261_125;
/// The number of the business that alone has a tenth of all chats, after those of equal size. Its first chat has a
/// twentieth of all messages.
pub const BIG_BUSINESS: fn(Size) -> i64 = |size| size.businesses + 1;

/// What people write: 60 to 200 bytes.
pub const TEXTS: &[&str] = &[
    "Добрый день! Посылка уже в пути, ждём её в пункте выдачи завтра к вечеру. Хорошего дня!",
    "Здравствуйте! Подскажите, пожалуйста, когда отправят мой заказ?",
    "Спасибо, всё получил. Упаковка немного помята, но сам товар цел.",
    "Пришлите, пожалуйста, фотографии товара и упаковки, мы передадим их на склад и решим вопрос.",
    "The size does not fit. Can I exchange it for a larger one without making a new order?",
];

const CUSTOMERS: i64 = 100_000;
/// 2026-01-01T00:00:00Z.
const BEGIN_MS: i64 = 1_767_225_600_000;
/// Ids as the server draws them have 15 digits.
const FIRST_ID: i64 = 250_000_000_000_000;
const ID_STEP: i64 = 1_009;
const STATUSES: [&str; 4] = ["WAITING_FOR_PARTNER", "WAITING_FOR_CUSTOMER", "FINISHED", "NEW"];

/// Whether nobody can write into the `nth` chat of a business.
pub(super) const fn is_finished(nth: i64) -> bool {
    nth % 4 == 2
}

/// The key of a business.
#[must_use]
pub fn api_key(business: i64) -> String {
    let mut random = fastrand::Rng::with_seed(SEED ^ business.unsigned_abs());
    let body: String = std::iter::repeat_with(|| random.alphanumeric())
        .take(40)
        .collect();
    let body = format!("ACMA:{body}");
    format!("{body}:{:08x}", crc32fast::hash(body.as_bytes()))
}

/// The id of the `nth` chat of a business. Chats of different businesses were started in turn.
pub(super) fn chat_id(size: Size, business: i64, nth: i64) -> i64 {
    FIRST_ID + (nth * (size.businesses + 2) + business) * ID_STEP
}

pub(super) fn write(conn: &Connection, size: Size, bar: &ProgressBar) -> rusqlite::Result<()> {
    conn.execute_batch("BEGIN")?;
    let mut put = conn.prepare("INSERT INTO customer (customer_id, name) VALUES (?1, ?2)")?;
    for number in 0..CUSTOMERS {
        put.execute((customer(number), format!("Покупатель {number}")))?;
    }
    let mut rows = Rows {
        size,
        last_id: 0,
        chats: 0,
    };
    for business in 1..=size.businesses {
        rows.business(conn, business, size.chats_of_each)?;
        bar.inc(size.chats_of_each.unsigned_abs());
    }
    rows.business(conn, BIG_BUSINESS(size), size.chats() / 10)?;
    conn.execute(
        "UPDATE meta SET value = iif(name = 'last_id', ?1, ?2) WHERE name IN ('last_id', 'last_chat_number')",
        [rows.last_id, rows.chats],
    )?;
    conn.execute_batch("COMMIT")
}

fn customer(number: i64) -> String {
    format!("customer-{number:07}")
}

struct Rows {
    size: Size,
    last_id: i64,
    /// So many chats were written, which is the number of the last one.
    chats: i64,
}

impl Rows {
    fn business(&mut self, conn: &Connection, business: i64, chats: i64) -> rusqlite::Result<()> {
        conn.prepare_cached("INSERT INTO business (business_id, name, state) VALUES (?1, ?2, 'ACTIVE')")?
            .execute((business, format!("Лавка {business}")))?;
        conn.prepare_cached("INSERT INTO campaign VALUES (?1, ?1, 'shop.example', 'FBS', 'AVAILABLE')")?
            .execute([business])?;
        let hash: [u8; 32] = Sha256::digest(api_key(business)).into();
        conn.prepare_cached(
            "INSERT INTO credential VALUES (?1, ?1, 'API_KEY', 'bench', 'communication', '', ?2, ?3, NULL, NULL)",
        )?
        .execute(params![business, hash, BEGIN_MS])?;
        for nth in 0..chats {
            self.chat(conn, business, nth)?;
        }
        Ok(())
    }

    fn chat(&mut self, conn: &Connection, business: i64, nth: i64) -> rusqlite::Result<()> {
        let (size, order) = (self.size, nth + 1);
        self.chats += 1;
        let chat = chat_id(size, business, nth);
        let big = business == BIG_BUSINESS(size) && nth == 0;
        let messages = match big {
            true => size.chats() / 2,
            false => size.messages_of(nth),
        };
        let customer = customer((business * 7 + nth) % CUSTOMERS);
        conn.prepare_cached("INSERT INTO purchase VALUES (?1, ?2, ?1, ?3, 0)")?
            .execute(params![business, order, customer])?;
        let created_at = BEGIN_MS + nth * 60_000;
        let first = chat + 1;
        let last = first + (messages - 1) * ID_STEP;
        let status = STATUSES[usize::try_from(nth % 4).unwrap_or_default()];
        conn.prepare_cached(
            "INSERT INTO chat VALUES (?1, ?2, 'CHAT', ?3, 'ORDER', ?4, ?5, ?4, ?1, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            business,
            chat,
            status,
            order,
            customer,
            created_at,
            created_at + messages,
            last,
            self.chats
        ])?;
        let mut put = conn.prepare_cached("INSERT INTO message_row VALUES (?1, ?2, ?3, ?4)")?;
        for number in 0..messages {
            // The customer's and the partner's, in turn; none has files.
            let head = (created_at + number) << 11 | (number % 2) << 8;
            let text = TEXTS[usize::try_from((nth + number) % 5).unwrap_or_default()];
            put.execute(params![
                (self.chats << 24) + 1 + number,
                first + number * ID_STEP,
                head,
                text
            ])?;
        }
        self.last_id = self.last_id.max(last);
        Ok(())
    }
}
