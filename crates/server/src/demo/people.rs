//! The customers of the demo.

use prilavok_domain::PublicId;
use prilavok_domain::business::InvalidName;

/// Names as sellers see them.
pub(super) const NAMES: [&str; COUNT] = [
    "Анна К.",
    "Дмитрий",
    "Мария Соколова",
    "Олег Петрович",
    "Екатерина Л.",
    "Тимур",
    "Светлана В.",
    "Иван Грозов",
    "Наталья",
    "Рустам А.",
    "Anna Schmidt",
    "John Carter",
    "Zoë Martin",
    "José Álvarez",
    "李伟",
    "王芳",
    "陈静",
    "Лейла",
    "Ярослав М.",
    "Вера Павловна",
    "Kateryna",
    "Юлия Ж.",
];

/// How many there are.
pub(super) const COUNT: usize = 22;

/// The public id of one of them, counted from zero.
pub(super) fn public_id(person: usize) -> Result<PublicId, InvalidName> {
    PublicId::new(format!("customer-{:04}", person + 1))
}
