//! The bar: an axum server that parses path and query, serialises a struct, and does nothing else. One worker
//! thread, mimalloc, optimised over all crates.

use axum::extract::{Path, Query};
use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    chat_id: i64,
}

#[derive(Serialize)]
struct Answer {
    status: &'static str,
    result: Chat,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Chat {
    chat_id: i64,
    order_id: i64,
    context: Context,
    r#type: &'static str,
    status: &'static str,
    created_at: &'static str,
    updated_at: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    r#type: &'static str,
    customer: Customer,
    campaign_id: i64,
    order_id: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    name: &'static str,
    public_id: &'static str,
}

async fn chat(Path(business): Path<i64>, Query(Asked { chat_id }): Query<Asked>) -> Json<Answer> {
    Json(Answer {
        status: "OK",
        result: Chat {
            chat_id,
            order_id: chat_id,
            context: Context {
                r#type: "ORDER",
                customer: Customer {
                    name: "Дмитрий",
                    public_id: "customer-0000002",
                },
                campaign_id: business,
                order_id: chat_id,
            },
            r#type: "CHAT",
            status: "WAITING_FOR_PARTNER",
            created_at: "2026-11-21T17:16:40.876+03:00",
            updated_at: "2026-11-21T17:41:40.876+03:00",
        },
    })
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> std::io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8090".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let router = Router::new().route("/v2/businesses/{business}/chat", get(chat));
    axum::serve(listener, router).await
}
