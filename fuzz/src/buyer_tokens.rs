//! The tokens of buyers.

use std::sync::LazyLock;

use prilavok_domain::{BusinessId, PublicId, Timestamp};
use prilavok_server::buyer::token::{self, Tokens};
use prilavok_server::settings::{Overrides, Settings};

const SERVER_SECRET: [u8; 32] = [7; 32];
const NOW_MS: i64 = 1_800_000_000_000;
const MINUTES: u32 = 10;

static SETTINGS: LazyLock<Settings> = LazyLock::new(|| {
    let overrides = Overrides {
        try_out: true,
        ..Overrides::default()
    };
    Settings::load(None, &overrides).expect("the defaults")
});
static TOKENS: LazyLock<Tokens> = LazyLock::new(|| Tokens::new(&SETTINGS.buyer, &SERVER_SECRET));

/// What must hold of any bytes.
pub fn check(data: &[u8]) {
    let now = Timestamp::from_millis(NOW_MS).expect("in range");
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let opened = TOKENS.verify(text, now);
    assert!(opened.is_err(), "{text} opens {opened:?}");
    let Ok(customer) = PublicId::new(text) else { return };
    let business = BusinessId::new(1).expect("an id");
    let signed = token::sign(&SETTINGS.buyer, &SERVER_SECRET, business, &customer, now, MINUTES);
    let signed = signed.expect("a token").token;
    let opened = TOKENS.verify(&signed, now).expect("it opens");
    assert_eq!((opened.business, &opened.chats.customer), (business, &customer));
    let end = now.plus_millis(i64::from(MINUTES) * 60_000);
    assert_eq!(opened.expires_at, end);
    assert!(TOKENS.verify(&signed, end.plus_millis(token::LEEWAY_MS)).is_err());
    // Any character changed, and it opens nothing.
    let at = data.iter().map(|byte| usize::from(*byte)).sum::<usize>() % signed.len();
    let other = if signed.as_bytes()[at] == b'A' { "B" } else { "A" };
    let changed = format!("{}{other}{}", &signed[..at], &signed[at + 1..]);
    assert!(TOKENS.verify(&changed, now).is_err(), "{changed}");
}
