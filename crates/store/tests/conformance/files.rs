//! What messages say of their files: kept in the message's transaction, found by id, and asked
//! about by the sweep of objects that no message names.

use prilavok_domain::{ContextType, FileId, FileName, Sender};
use prilavok_store::{ChatChange, ChatFilter, NewMessage, StoredFile};

use crate::places::on_every_populated_store;
use crate::population::*;

fn a_file(object: &str, name: &str, size: u64) -> StoredFile {
    StoredFile {
        object: object.to_owned(),
        name: FileName::from_client(name),
        size,
        media_type: "image/jpeg".to_owned(),
    }
}

fn with_files(files: Vec<StoredFile>) -> NewMessage {
    NewMessage {
        text: None,
        files,
        ..customer_says("dropped")
    }
}

#[test]
fn a_message_lists_its_files_in_the_order_in_which_they_were_sent() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await;
        let sent = vec![
            a_file("1/z", "фото возврата.jpg", 5 * 1024 * 1024),
            a_file("1/a", "收据.pdf", 0),
            a_file("1/m", "same.png", 7),
            a_file("1/b", "same.png", 8),
        ];
        let message = write(store, chat.id, with_files(sent.clone()), at(1)).await;
        write(store, chat.id, customer_says("without"), at(2)).await;
        assert_eq!(message.text, None);
        assert_eq!(message.files.len(), sent.len());
        for (attached, sent) in message.files.iter().zip(&sent) {
            assert_eq!((&attached.name, attached.size), (&sent.name, sent.size));
            assert_eq!(attached.media_type, sent.media_type);
            let found = store.file(shop(), attached.id).await.expect("a read");
            assert_eq!(found, Some((attached.clone(), sent.clone())));
        }
        let found = store.message(shop(), chat.id, message.id).await.expect("a read");
        assert_eq!(found.as_ref(), Some(&message));
        let page = all_messages(store, chat.id).await;
        assert_eq!(page[0], message);
        assert_eq!(page[1].files, []);
    });
}

#[test]
fn a_file_does_not_exist_for_another_business() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await;
        let message = write(store, chat.id, with_files(vec![a_file("1/a", "a", 1)]), at(1)).await;
        let file = message.files[0].id;
        assert!(store.file(shop(), file).await.expect("a read").is_some());
        assert_eq!(store.file(other(), file).await.expect("a read"), None);
        let nothing: FileId = id(file.get() + 1);
        assert_eq!(store.file(shop(), nothing).await.expect("a read"), None);
    });
}

#[test]
fn objects_that_a_message_names_are_told_from_those_that_none_does() {
    on_every_populated_store(async |store| {
        let chat = new_chat(store, order(100)).await;
        let both = vec![a_file("1/a", "a", 1), a_file("1/b", "b", 1)];
        write(store, chat.id, with_files(both), at(1)).await;
        change(store, chat.id, ChatChange::Finish).await;
        let refused = NewMessage {
            sender: Sender::Partner,
            ..with_files(vec![a_file("1/refused", "c", 1)])
        };
        refusal(store.append_message(shop(), chat.id, refused, None, at(2)).await);
        let asked = ["1/b", "1/refused", "1/a", "1/never", "1/b"].map(str::to_owned);
        let named = store.named_files(asked.to_vec()).await.expect("an answer");
        assert_eq!(named, [true, false, true, false, true]);
        assert_eq!(
            store.named_files(Vec::new()).await.expect("an answer"),
            [false; 0]
        );
        // The chat is still the one that the filter finds: nothing of the refused message stayed.
        let filter = ChatFilter {
            contexts: vec![(ContextType::Order, 100)],
            ..ChatFilter::default()
        };
        assert_eq!(all_chats(store, shop(), &filter).await[0].updated_at, at(1));
    });
}
