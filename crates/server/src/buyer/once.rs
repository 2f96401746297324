//! `Idempotency-Key` of buyers: each customer's keys are their own.

use prilavok_store::{Idempotency, Surface};
use sha2::{Digest, Sha256};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::auth::Buyer;
use crate::json_api::idempotency::{self, Once};

/// The header, as the document describes it.
pub(super) struct OnceKey;

impl IntoParams for OnceKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![idempotency::parameter("customer")]
    }
}

/// The key, bound to who asks and what is asked.
pub(super) fn of(once: Once, buyer: &Buyer, operation: &str, asked: &[&[u8]]) -> Option<Idempotency> {
    let customer = buyer.chats().customer.as_str();
    once.of(operation, asked).map(|once| {
        let mut hash = Sha256::new();
        hash.update((customer.len() as u64).to_be_bytes());
        hash.update(customer);
        hash.update(&once.key);
        Idempotency {
            surface: Surface::Buyer,
            key: format!("{:x}", hash.finalize()),
            ..once
        }
    })
}
