//! Keys and tokens as texts: how they are made, recognised and hashed. Nothing here keeps one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prilavok_store::SecretHash;
use sha2::{Digest, Sha256};

/// What every Api-Key begins with, as upstream's do.
const KEY_PREFIX: &str = "ACMA:";
const KEY_RANDOM_CHARS: usize = 40;
/// Prefix, 40 letters and digits, a colon, the CRC-32 of all before the colon in 8 hex digits.
const KEY_CHARS: usize = KEY_PREFIX.len() + KEY_RANDOM_CHARS + 1 + 8;
/// 43 letters and digits hold 256 bits.
const TOKEN_RANDOM_CHARS: usize = 43;

/// Why a text is no Api-Key, found without a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyError {
    /// It does not begin with `ACMA:`.
    PrefixInvalid,
    /// It does not have 54 characters.
    LengthInvalid,
    /// A character is out of place, or the check sum does not fit: mistyped.
    FormatInvalid,
}

/// Why an `Authorization` header has no OAuth token, found without a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizationError {
    /// It has none of the forms that it may have.
    Syntax,
    /// It has one, without a token in it.
    TokenMissing,
}

/// A new Api-Key.
#[must_use]
pub fn new_api_key() -> String {
    let body = format!("{KEY_PREFIX}{}", random_text(KEY_RANDOM_CHARS));
    let sum = crc32fast::hash(body.as_bytes());
    format!("{body}:{sum:08x}")
}

/// A new OAuth token.
#[must_use]
pub fn new_oauth_token() -> String {
    format!("y0_{}", random_text(TOKEN_RANDOM_CHARS))
}

/// A new operator token.
#[must_use]
pub fn new_operator_token() -> String {
    format!("pop_{}", random_text(TOKEN_RANDOM_CHARS))
}

/// A secret of a session: its id, or what its forms carry.
#[must_use]
pub(crate) fn new_session_secret() -> String {
    random_text(TOKEN_RANDOM_CHARS)
}

/// A token that whoever knows `secret` can make again, and from which nobody can tell the secret. `purpose` tells tokens of
/// one secret apart.
#[must_use]
pub(crate) fn derived_token(purpose: &str, secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(hash(&format!("{purpose}{secret}")).0)
}

/// Whether `text` has the form of an Api-Key.
pub fn check_api_key(text: &str) -> Result<(), KeyError> {
    let rest = text.strip_prefix(KEY_PREFIX).ok_or(KeyError::PrefixInvalid)?;
    if text.chars().count() != KEY_CHARS {
        return Err(KeyError::LengthInvalid);
    }
    let (random, sum) = rest.split_once(':').ok_or(KeyError::FormatInvalid)?;
    let well_formed = random.len() == KEY_RANDOM_CHARS
        && random.bytes().all(|b| b.is_ascii_alphanumeric())
        && sum.len() == 8
        // A sign before digits is a number as well.
        && sum.bytes().all(|b| b.is_ascii_hexdigit());
    let expected = crc32fast::hash(&text.as_bytes()[..KEY_PREFIX.len() + random.len()]);
    if well_formed && u32::from_str_radix(sum, 16) == Ok(expected) {
        Ok(())
    } else {
        Err(KeyError::FormatInvalid)
    }
}

/// The token of an `Authorization` header: `Bearer <token>` or `OAuth oauth_token="…", oauth_client_id="…"`.
pub fn oauth_token(header: &str) -> Result<&str, AuthorizationError> {
    let text = header.trim();
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    let token = if scheme.eq_ignore_ascii_case("Bearer") {
        rest
    } else if scheme.eq_ignore_ascii_case("OAuth") {
        oauth_parameter(rest)?
    } else {
        return Err(AuthorizationError::Syntax);
    };
    if token.is_empty() {
        return Err(AuthorizationError::TokenMissing);
    }
    if token.contains([' ', '\t', '"', ',']) {
        return Err(AuthorizationError::Syntax);
    }
    Ok(token)
}

fn oauth_parameter(list: &str) -> Result<&str, AuthorizationError> {
    let mut token = "";
    for item in list.split(',').map(str::trim).filter(|item| !item.is_empty()) {
        let (name, value) = item.split_once('=').ok_or(AuthorizationError::Syntax)?;
        if name.trim().eq_ignore_ascii_case("oauth_token") {
            let value = value.trim();
            token = value
                .strip_prefix('"')
                .and_then(|value| value.strip_suffix('"'))
                .unwrap_or(value);
        }
    }
    Ok(token)
}

/// The hash that is kept instead of a secret.
#[must_use]
pub fn hash(secret: &str) -> SecretHash {
    SecretHash(Sha256::digest(secret.as_bytes()).into())
}

/// `len` random letters and digits, evenly drawn.
fn random_text(len: usize) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut text = String::with_capacity(len);
    while text.len() < len {
        let mut bytes = [0_u8; 64];
        getrandom::fill(&mut bytes).expect("the system gives random bytes");
        // Bytes at or above 248 = 4 × 62 would favour the first letters: they are drawn again.
        let drawn = bytes
            .iter()
            .filter(|byte| **byte < 248)
            .map(|byte| char::from(ALPHABET[usize::from(byte % 62)]));
        text.extend(drawn.take(len - text.len()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_is_well_formed_and_unlike_the_last() {
        let key = new_api_key();
        assert_eq!(check_api_key(&key), Ok(()));
        assert_ne!(key, new_api_key());
    }

    #[test]
    fn what_is_wrong_with_a_key_is_told_apart() {
        let key = new_api_key();
        let mistyped = {
            let swapped = if key.as_bytes()[10] == b'x' { "y" } else { "x" };
            format!("{}{swapped}{}", &key[..10], &key[11..])
        };
        for (text, expected) in [
            ("", KeyError::PrefixInvalid),
            ("Bearer abc", KeyError::PrefixInvalid),
            ("ACMA:short:00000000", KeyError::LengthInvalid),
            (mistyped.as_str(), KeyError::FormatInvalid),
            (
                &key.replace(':', ";").replacen(';', ":", 1),
                KeyError::FormatInvalid,
            ),
            (&format!("ACMA:{}", "ю".repeat(49)), KeyError::FormatInvalid),
            // Its check sum is 0b5e2b21.
            (
                "ACMA:1maaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:+b5e2b21",
                KeyError::FormatInvalid,
            ),
        ] {
            assert_eq!(check_api_key(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn forms_of_the_authorization_header() {
        use AuthorizationError::{Syntax, TokenMissing};
        for (header, expected) in [
            ("Bearer abc", Ok("abc")),
            ("bearer   abc ", Ok("abc")),
            ("OAuth oauth_token=\"abc\", oauth_client_id=\"x\"", Ok("abc")),
            ("OAuth oauth_client_id=x,oauth_token=abc", Ok("abc")),
            ("Bearer", Err(TokenMissing)),
            ("Bearer ", Err(TokenMissing)),
            ("OAuth", Err(TokenMissing)),
            ("OAuth oauth_token=\"\", oauth_client_id=\"x\"", Err(TokenMissing)),
            ("OAuth oauth_client_id=\"x\"", Err(TokenMissing)),
            ("OAuth abc", Err(Syntax)),
            ("Bearer a b", Err(Syntax)),
            ("Basic YTpi", Err(Syntax)),
            ("", Err(Syntax)),
        ] {
            assert_eq!(oauth_token(header), expected, "{header}");
        }
    }
}
