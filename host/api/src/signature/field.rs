//! Structured fields (RFC 9651), read by the crate `sfv`, and stricter in one thing: where the RFC
//! lets the last of two equal names win, a name that stands twice is refused, so that no two
//! readers of one message can differ in what was signed.

use http::{HeaderMap, HeaderValue};
use sfv::visitor::{
    DictionaryVisitor, EntryVisitor, InnerListVisitor, ItemVisitor, ParameterVisitor,
};
use sfv::{
    BareItem, BareItemFromInput, DictSerializer, InnerListSerializer, ItemSerializer, Key, KeyRef,
    ListSerializer, Parser,
};

use super::{Error, malformed};

/// The parameters of a value, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters(Vec<(Key, BareItem)>);

/// A value with its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) value: BareItem,
    pub(crate) parameters: Parameters,
}

/// Values in brackets.
#[derive(Clone, Debug, Default)]
pub(crate) struct InnerList {
    pub(crate) items: Vec<Item>,
    pub(crate) parameters: Parameters,
}

/// A member of a dictionary.
#[derive(Clone, Debug)]
pub(crate) enum Member {
    Item(Item),
    List(InnerList),
}

/// Members by name, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dictionary(Vec<(Key, Member)>);

impl Parameters {
    pub(crate) fn get(&self, name: &str) -> Option<&BareItem> {
        self.0.iter().find(|(key, _)| key.as_str() == name).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &BareItem)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(name, _)| name)
    }

    /// Adds one at the end; a name that cannot be one, or is there already, is refused.
    pub(crate) fn add(&mut self, name: &str, value: BareItem) -> Result<(), Error> {
        let key = KeyRef::from_str(name).map_err(|_| malformed(format!("`{name}` is no name")))?;
        self.meet(key, value).map_err(|twice| malformed(twice.to_string()))
    }

    /// Whether both have the same parameters, in whatever order.
    fn same(&self, other: &Parameters) -> bool {
        self.0.len() == other.0.len()
            && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }

    fn meet(&mut self, name: &KeyRef, value: BareItem) -> Result<(), Twice> {
        if self.get(name.as_str()).is_some() {
            return Err(Twice(name.as_str().to_owned()));
        }
        self.0.push((name.to_owned(), value));
        Ok(())
    }

    fn pairs(&self) -> impl Iterator<Item = (&KeyRef, &BareItem)> {
        self.0.iter().map(|(key, value)| (key.as_ref(), value))
    }
}

impl Item {
    pub(crate) fn new(value: BareItem) -> Item {
        Item { value, parameters: Parameters::default() }
    }

    /// Whether both are the same value with the same parameters.
    pub(crate) fn same(&self, other: &Item) -> bool {
        self.value == other.value && self.parameters.same(&other.parameters)
    }

    /// As RFC 9651, section 4.1.3, writes it.
    pub(crate) fn text(&self) -> String {
        let mut item = ItemSerializer::new().bare_item(&self.value);
        for (name, value) in self.parameters.pairs() {
            item = item.parameter(name, value);
        }
        item.finish()
    }
}

impl InnerList {
    /// As RFC 9651, section 4.1.1.1, writes it.
    pub(crate) fn text(&self) -> String {
        let mut list = ListSerializer::new();
        self.write(list.inner_list());
        list.finish().unwrap_or_default()
    }

    fn write(&self, mut list: InnerListSerializer<'_>) {
        for item in &self.items {
            let mut written = list.bare_item(&item.value);
            for (name, value) in item.parameters.pairs() {
                written = written.parameter(name, value);
            }
        }
        let mut written = list.finish();
        for (name, value) in self.parameters.pairs() {
            written = written.parameter(name, value);
        }
    }
}

impl Member {
    /// The member alone (RFC 9421, section 2.1.2).
    pub(crate) fn text(&self) -> String {
        match self {
            Member::Item(item) => item.text(),
            Member::List(list) => list.text(),
        }
    }

    /// The bytes, where it is a byte sequence.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Member::Item(item) => item.value.as_byte_sequence(),
            Member::List(_) => None,
        }
    }
}

impl Dictionary {
    pub(crate) fn get(&self, name: &str) -> Option<&Member> {
        self.0.iter().find(|(key, _)| key.as_str() == name).map(|(_, member)| member)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.0.iter().map(|(key, member)| (key.as_str(), member))
    }

    /// As RFC 9651, section 4.1.2, writes it; empty for an empty one.
    pub(crate) fn text(&self) -> String {
        let mut dictionary = DictSerializer::new();
        for (key, member) in &self.0 {
            match member {
                Member::List(list) => list.write(dictionary.inner_list(key)),
                Member::Item(item) => {
                    let mut written = dictionary.bare_item(key, &item.value);
                    for (name, value) in item.parameters.pairs() {
                        written = written.parameter(name, value);
                    }
                }
            }
        }
        dictionary.finish().unwrap_or_default()
    }
}

/// `name=:bytes:`, a dictionary of one member.
pub(crate) fn named_bytes(name: &str, bytes: &[u8]) -> Result<String, Error> {
    let key = KeyRef::from_str(name).map_err(|_| malformed(format!("`{name}` is no name")))?;
    let member = Member::Item(Item::new(BareItem::ByteSequence(bytes.to_vec())));
    Ok(Dictionary(vec![(key.to_owned(), member)]).text())
}

/// The dictionary that all lines of this field make up; none when there is no such field.
pub(crate) fn dictionary(headers: &HeaderMap, name: &str) -> Result<Option<Dictionary>, Error> {
    let Some(text) = joined(headers, name)? else { return Ok(None) };
    let mut read = Dictionary::default();
    Parser::new(&text)
        .parse_dictionary_with_visitor(Members(&mut read))
        .map_err(|why| malformed(format!("`{name}`: {why}")))?;
    Ok(Some(read))
}

/// The lines of a field, joined as RFC 9110, section 5.3, says; none when there is none.
pub(crate) fn joined(headers: &HeaderMap, name: &str) -> Result<Option<String>, Error> {
    let lines = headers.get_all(name).iter().map(|line| visible(line, name));
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
    Ok((!lines.is_empty()).then(|| lines.join(", ")))
}

/// A line as text: a signature base is ASCII alone (RFC 9421, section 2.1).
pub(crate) fn visible<'a>(line: &'a HeaderValue, name: &str) -> Result<&'a str, Error> {
    let text = line.to_str().map_err(|_| malformed(format!("`{name}` is not ASCII")))?;
    Ok(text.trim_matches([' ', '\t']))
}

/// A name stands twice.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` stands twice")]
struct Twice(String);

/// Where members are put as they are read, one of them, and so on down.
struct Members<'a>(&'a mut Dictionary);
struct Place<'a, 'k>(&'a mut Vec<(Key, Member)>, &'k KeyRef);
struct ItemPlace<'a>(&'a mut Item);
struct ListPlace<'a>(&'a mut InnerList);
struct ParametersPlace<'a>(&'a mut Parameters);

impl<'de> DictionaryVisitor<'de> for Members<'_> {
    type Out = ();
    type Error = Twice;

    fn entry(&mut self, name: &'de KeyRef) -> Result<impl EntryVisitor<'de>, Twice> {
        match self.0.get(name.as_str()) {
            Some(_) => Err(Twice(name.as_str().to_owned())),
            None => Ok(Place(&mut self.0.0, name)),
        }
    }

    fn finish(self) -> Result<(), Twice> {
        Ok(())
    }
}

impl<'a> Place<'a, '_> {
    fn put(self, member: Member) -> Result<&'a mut Member, Twice> {
        let Place(members, name) = self;
        members.push((name.to_owned(), member));
        members.last_mut().map(|(_, member)| member).ok_or_else(|| Twice(String::new()))
    }
}

fn nothing() -> Item {
    Item::new(BareItem::Boolean(true))
}

impl<'de> EntryVisitor<'de> for Place<'_, '_> {
    type Error = Twice;

    fn item(self) -> Result<impl ItemVisitor<'de>, Twice> {
        match self.put(Member::Item(nothing()))? {
            Member::Item(item) => Ok(ItemPlace(item)),
            Member::List(_) => Err(Twice(String::new())),
        }
    }

    fn inner_list(self) -> Result<impl InnerListVisitor<'de>, Twice> {
        match self.put(Member::List(InnerList::default()))? {
            Member::List(list) => Ok(ListPlace(list)),
            Member::Item(_) => Err(Twice(String::new())),
        }
    }
}

impl<'de> InnerListVisitor<'de> for ListPlace<'_> {
    type Error = Twice;

    fn item(&mut self) -> Result<impl ItemVisitor<'de>, Twice> {
        self.0.items.push(nothing());
        self.0.items.last_mut().map(ItemPlace).ok_or_else(|| Twice(String::new()))
    }

    fn finish(self) -> Result<impl ParameterVisitor<'de>, Twice> {
        Ok(ParametersPlace(&mut self.0.parameters))
    }
}

impl<'de> ItemVisitor<'de> for ItemPlace<'_> {
    type Out = ();
    type Error = Twice;

    fn bare_item(
        self,
        value: BareItemFromInput<'de>,
    ) -> Result<impl ParameterVisitor<'de, Out = ()>, Twice> {
        self.0.value = value.into();
        Ok(ParametersPlace(&mut self.0.parameters))
    }
}

impl<'de> ParameterVisitor<'de> for ParametersPlace<'_> {
    type Out = ();
    type Error = Twice;

    fn parameter(&mut self, name: &'de KeyRef, value: BareItemFromInput<'de>) -> Result<(), Twice> {
        self.0.meet(name, value.into())
    }

    fn finish(self) -> Result<(), Twice> {
        Ok(())
    }
}
