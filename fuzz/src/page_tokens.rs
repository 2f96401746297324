//! The Partner API's page tokens.

use prilavok_domain::{BusinessId, CampaignId, ChatId, MessageId, Timestamp};
use prilavok_wire::page_token::ChatPlace;
use prilavok_wire::request::{CampaignsPage, GetCampaigns, GetChatHistory, GetChats};
use prilavok_wire::{ApiError, Errors, Failure};

use crate::choose;

/// What must hold of any bytes.
pub fn check(data: &[u8]) {
    let Some((which, rest)) = choose(data, 4) else {
        return;
    };
    let number = |at: usize| {
        let bytes = rest.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(1, |bytes| (i64::from_le_bytes(bytes) & ((1 << 53) - 1)).max(1))
    };
    let numbers = [number(0), number(8), number(16)];
    match which {
        0 => chats(numbers),
        1 => history(numbers),
        2 => campaigns(numbers),
        // A token out of nowhere: refused, or one that is written again the same.
        _ => {
            if let Ok(token) = std::str::from_utf8(rest)
                && !token.is_empty()
            {
                foreign(token);
            }
        }
    }
    // Any change of a good token makes it a bad one.
    if let ([at, to, ..], Some(business)) = (rest, business(1)) {
        let last = CampaignId::new(numbers[2]).expect("in range");
        let page = CampaignsPage::After { last: None, limit: 1 };
        let good = GetCampaigns { business, page }.next_page(last);
        let mut bytes = good.clone().into_bytes();
        let at = usize::from(*at) % bytes.len();
        bytes[at] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/ %"[usize::from(*to) % 69];
        let changed = String::from_utf8(bytes).expect("ASCII");
        if changed != good {
            refused(GetCampaigns::parse(Errors::new(), business, &query(&changed)));
        }
    }
}

fn chats([business_id, millis, id]: [i64; 3]) {
    let Some(business) = business(business_id) else {
        return;
    };
    let place = ChatPlace {
        updated_at: Timestamp::from_millis(millis % 253_402_207_200_001).expect("in range"),
        id: ChatId::new(id).expect("in range"),
    };
    let body = format!(r#"{{"types":["CHAT"],"orderIds":[{id}]}}"#);
    let parse = |of, query: &str, body: &str| GetChats::parse(Errors::new(), of, query, Ok(body.as_bytes()));
    let first = parse(business, "", &body).expect("no token");
    let token = first.next_page(place);
    let second = parse(business, &query(&token), &body).expect("its own token");
    assert_eq!(second.after, Some(place));
    assert_eq!(second.next_page(place), token);
    refused(parse(business, &query(&token), r#"{"types":["CHAT"]}"#));
    refused(parse(other(business), &query(&token), &body));
    refused(GetChatHistory::parse(
        Errors::new(),
        business,
        &format!("chatId={id}&{}", query(&token)),
        Ok(b"{}"),
    ));
}

fn history([business_id, chat, id]: [i64; 3]) {
    let Some(business) = business(business_id) else {
        return;
    };
    let last = MessageId::new(id).expect("in range");
    let parse = |of, chat: i64, token: &str, body: &str| {
        let query = format!("chatId={chat}&{token}");
        GetChatHistory::parse(Errors::new(), of, &query, Ok(body.as_bytes()))
    };
    let first = parse(business, chat, "", "{}").expect("no token");
    let token = first.next_page(last);
    let second = parse(business, chat, &query(&token), "{}").expect("its own token");
    assert_eq!(second.after, Some(last));
    assert_eq!(second.next_page(last), token);
    refused(parse(business, chat + 1, &query(&token), "{}"));
    refused(parse(other(business), chat, &query(&token), "{}"));
    refused(parse(business, chat, &query(&token), r#"{"messageIdFrom":1}"#));
}

fn campaigns([business_id, id, _]: [i64; 3]) {
    let Some(business) = business(business_id) else {
        return;
    };
    let last = CampaignId::new(id).expect("in range");
    let parse = |of, query: &str| GetCampaigns::parse(Errors::new(), of, query);
    let token = parse(business, "limit=1").expect("no token").next_page(last);
    let second = parse(business, &query(&token)).expect("its own token");
    let page = CampaignsPage::After {
        last: Some(last),
        limit: 100,
    };
    assert_eq!(second.page, page);
    refused(parse(other(business), &query(&token)));
}

fn foreign(token: &str) {
    let business = business(7).expect("an id");
    let query = query(token);
    match GetChats::parse(Errors::new(), business, &query, Ok(b"{}")) {
        Ok(request) => assert_eq!(request.next_page(request.after.expect("a place")), token),
        refusal => refused(refusal),
    }
    match GetCampaigns::parse(Errors::new(), business, &query) {
        Ok(request) => match request.page {
            CampaignsPage::After { last: Some(last), .. } => assert_eq!(request.next_page(last), token),
            page => panic!("{token} was taken for {page:?}"),
        },
        refusal => refused(refusal),
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, Failure>) {
    let failure = result.expect_err("another list's token");
    let errors: Vec<&ApiError> = failure.errors().collect();
    assert_eq!(errors, [&ApiError::BadPageToken]);
}

fn query(token: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("pageToken", token)
        .finish()
}

fn business(id: i64) -> Option<BusinessId> {
    BusinessId::new(id).ok()
}

fn other(business: BusinessId) -> BusinessId {
    BusinessId::new(business.get() % 1_000 + 1_001).expect("an id")
}
