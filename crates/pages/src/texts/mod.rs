//! The texts of the pages. A language is a value of [`Texts`], so a text that is missing in one does not compile.

pub(crate) mod en;
pub(crate) mod ru;
pub(crate) mod zh;

/// Declares a group of texts together with what each one is in English, which says what it means.
macro_rules! texts {
    ($($(#[$meta:meta])* $name:ident { $($field:ident),+ $(,)? })+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, Copy)]
        #[expect(missing_docs, reason = "the English text says what each one means")]
        pub struct $name { $(pub $field: &'static str),+ }

        impl $name {
            /// All of them, by name.
            #[must_use]
            pub fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($field), self.$field)),+]
            }
        }
    )+};
}

pub mod marketplace;

pub use marketplace::{Desk, Operator};

/// All texts in one language.
#[derive(Debug, Clone, Copy)]
pub struct Texts {
    /// What is on every page.
    pub common: Common,
    /// Units.
    pub time: Time,
    /// Where people sign in.
    pub sign_in: SignIn,
    /// The list of chats.
    pub inbox: Inbox,
    /// One chat.
    pub conversation: Conversation,
    /// Saved replies.
    pub replies: Replies,
    /// The keyboard.
    pub keys: Keys,
    /// The operator's pages.
    pub operator: Operator,
    /// The arbiter's desk.
    pub desk: Desk,
    /// What can go wrong.
    pub trouble: Trouble,
}

impl Texts {
    /// All of them, by group and name.
    #[must_use]
    pub fn all(&self) -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
        vec![
            ("common", self.common.all()),
            ("time", self.time.all()),
            ("sign_in", self.sign_in.all()),
            ("inbox", self.inbox.all()),
            ("conversation", self.conversation.all()),
            ("replies", self.replies.all()),
            ("keys", self.keys.all()),
            ("operator", self.operator.all()),
            ("desk", self.desk.all()),
            ("trouble", self.trouble.all()),
        ]
    }
}

texts! {
    /// What is on every page.
    Common {
        product,
        skip,
        chats,
        replies,
        sign_out,
        language,
        theme,
        theme_system,
        theme_light,
        theme_dark,
        settings,
        apply,
        help,
        close,
        offline,
        home,
    }
    /// Units.
    Time {
        now,
        minutes,
        hours,
        days,
        bytes,
        kilobytes,
        megabytes,
        decimal,
    }
    /// Where people sign in.
    SignIn {
        title,
        seller_lead,
        operator_lead,
        key,
        token,
        key_help,
        token_help,
        submit,
        unknown_key,
        unknown_token,
        scope,
        business,
        too_many,
        over,
    }
    /// The list of chats.
    Inbox {
        title,
        filter,
        status,
        context,
        kind,
        search,
        all,
        show,
        none,
        none_filtered,
        none_found,
        incomplete,
        reset,
        more,
        newest,
        unread,
        waiting,
        you,
        no_messages,
        file,
        dispute,
        of_order,
        of_return,
        direct,
        orders,
        returns,
        directs,
        chats,
        disputes,
        new,
        waiting_for_customer,
        waiting_for_partner,
        waiting_for_arbiter,
        waiting_for_market,
        finished,
        choose,
        choose_help,
    }
    /// One chat.
    Conversation {
        back,
        messages,
        earlier,
        none,
        partner,
        customer,
        market,
        support,
        download,
        reply,
        reply_hint,
        reply_arbiter_hint,
        send,
        send_help,
        attach,
        drop,
        remove,
        saved,
        saved_none,
        sending,
        failed,
        retry,
        edit,
        no_answer,
        read_only,
        finished,
        finished_dispute,
        card,
        customer_name,
        customer_id,
        order,
        returned,
        store,
        status,
        started,
        dispute,
        chat_beside,
        open,
        new_messages,
        erased_name,
        erased_text,
        erased_file,
        erased,
        file_gone,
    }
    /// Saved replies.
    Replies {
        title,
        lead,
        none,
        name,
        text,
        add,
        save,
        delete,
    }
    /// The keyboard.
    Keys {
        next,
        previous,
        open,
        search,
        reply,
        leave,
        send,
        help,
        single,
    }
    /// What can go wrong.
    Trouble {
        not_found,
        not_found_advice,
        forged,
        forged_advice,
        read_only,
        read_only_advice,
        invalid,
        overloaded,
        overloaded_advice,
        unavailable,
        unavailable_advice,
        internal,
        internal_advice,
        empty,
        too_long,
        characters,
        file_too_large,
        file_empty,
        too_many_files,
        finished,
        too_many_replies,
        name_taken,
        broken,
    }
}

#[cfg(test)]
mod tests {
    use crate::Language;

    #[test]
    fn every_text_is_there_in_every_language_and_in_its_script() {
        let [english, russian, chinese] = Language::ALL.map(|language| language.texts().all());
        for ((group, english), ((_, russian), (_, chinese))) in
            english.iter().zip(russian.iter().zip(&chinese))
        {
            for ((name, english), ((_, russian), (_, chinese))) in
                english.iter().zip(russian.iter().zip(chinese))
            {
                let at = format!("{group}.{name}");
                assert!(english.is_ascii() || english.contains('…'), "{at}: {english}");
                for (other, script) in [(russian, 'а'..='я'), (chinese, '\u{4e00}'..='\u{9fff}')] {
                    assert!(!other.is_empty(), "{at}");
                    let translated = other.to_lowercase().chars().any(|c| script.contains(&c));
                    // Names, units and signs are the same everywhere.
                    let name = english.chars().count() < 9;
                    assert!(translated || name, "{at} is not translated: {other}");
                    for variable in ["{customer}", "{order}"] {
                        assert_eq!(
                            english.contains(variable),
                            other.contains(variable),
                            "{at}: {variable}"
                        );
                    }
                }
            }
        }
    }
}
