//! Links to files that open without a credential for a while: signed, and expiring.

use hmac::{Hmac, Mac};
use prilavok_domain::{BusinessId, FileId, Timestamp};
use sha2::Sha256;

/// Signs and checks the links of `payload[].url`.
#[derive(Clone)]
pub struct FileLinks {
    key: Hmac<Sha256>,
    ttl_seconds: i64,
}

/// Why a link does not open a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkError {
    /// Its time is over.
    Expired,
    /// It was not made by this server for this file.
    Wrong,
}

impl FileLinks {
    /// Links signed with the server's secret that open for `ttl_seconds`.
    #[must_use]
    pub fn new(secret: &[u8; 32], ttl_seconds: u32) -> Self {
        let key = Hmac::new_from_slice(secret).expect("HMAC takes keys of any length");
        Self {
            key,
            ttl_seconds: i64::from(ttl_seconds),
        }
    }

    /// The link to a file; `base` is the server's public address without a final slash.
    #[must_use]
    pub fn url(&self, base: &str, business: BusinessId, file: FileId, now: Timestamp) -> String {
        let expires = now.as_millis() / 1000 + self.ttl_seconds;
        let signature = self.signed(business, file, expires).finalize().into_bytes();
        format!("{base}/files/{business}/{file}?expires={expires}&signature={signature:x}")
    }

    /// Whether the parts of a link fit together and its time is not over.
    pub fn verify(
        &self,
        business: BusinessId,
        file: FileId,
        expires: i64,
        signature: &str,
        now: Timestamp,
    ) -> Result<(), LinkError> {
        let signature = from_hex(signature).ok_or(LinkError::Wrong)?;
        self.signed(business, file, expires)
            .verify_slice(&signature)
            .map_err(|_| LinkError::Wrong)?;
        if now.as_millis() / 1000 < expires {
            Ok(())
        } else {
            Err(LinkError::Expired)
        }
    }

    fn signed(&self, business: BusinessId, file: FileId, expires: i64) -> Hmac<Sha256> {
        let mut mac = self.key.clone();
        for part in [business.get(), file.get(), expires] {
            mac.update(&part.to_be_bytes());
        }
        mac
    }
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000).expect("in range")
    }

    #[test]
    fn a_link_opens_its_own_file_until_it_expires() {
        let links = FileLinks::new(&[7; 32], 60);
        let (business, file) = (BusinessId::new(1).expect("id"), FileId::new(2).expect("id"));
        let url = links.url("http://127.0.0.1:8080", business, file, at(1_000));
        let signature = url.split("signature=").nth(1).expect("signed").to_owned();
        assert!(
            url.starts_with("http://127.0.0.1:8080/files/1/2?expires=1060&signature="),
            "{url}"
        );

        let other_file = FileId::new(3).expect("id");
        let other_business = BusinessId::new(2).expect("id");
        for (business, file, expires, now, expected) in [
            (business, file, 1_060, 1_059, Ok(())),
            (business, file, 1_060, 1_060, Err(LinkError::Expired)),
            (business, file, 9_999, 1_059, Err(LinkError::Wrong)),
            (business, other_file, 1_060, 1_059, Err(LinkError::Wrong)),
            (other_business, file, 1_060, 1_059, Err(LinkError::Wrong)),
        ] {
            assert_eq!(
                links.verify(business, file, expires, &signature, at(now)),
                expected
            );
        }
        for broken in ["", "zz", &"0".repeat(64), &"ё".repeat(32)] {
            assert_eq!(
                links.verify(business, file, 1_060, broken, at(1_059)),
                Err(LinkError::Wrong)
            );
        }
        let another_server = FileLinks::new(&[8; 32], 60);
        assert_eq!(
            another_server.verify(business, file, 1_060, &signature, at(1_059)),
            Err(LinkError::Wrong)
        );
    }
}
