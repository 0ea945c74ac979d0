//! Where a page of bookings begins: by its number, or by the key of a booking beside it.

use utoipa::IntoParams;

use super::key::Key;
use crate::http::{Fields, Paging, Read};

/// Where a page begins that is not asked for by its number.
#[derive(Clone, Copy, Debug, Default, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Place {
    /// With `page_size`, the page that begins behind a booking, also while others are booked. `next` has it.
    #[param(value_type = Option<String>, example = "1798624800000000.104")]
    after: Option<Key>,
    /// With `page_size`, the page that ends in front of a booking. `previous` has it.
    #[param(value_type = Option<String>, example = "1798624800000000.104")]
    before: Option<Key>,
}

impl Read for Place {
    fn read(fields: &mut Fields) -> Option<Self> {
        Some(Self { after: fields.value_if_any("after"), before: fields.value_if_any("before") })
    }
}

impl Place {
    /// The last page of a list by appointment.
    pub const END: Self = Self { after: None, before: Some(Key::END) };

    pub(super) fn begin(self, paging: Paging) -> Begin {
        match (self.after, self.before) {
            (Some(key), _) => Begin::After(key),
            (None, Some(key)) => Begin::Before(key),
            (None, None) => Begin::Behind(paging.offset()),
        }
    }
}

/// Where the bookings that are listed begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// Behind so many others, which Postgres reads as well.
    Behind(usize),
    After(Key),
    /// They end in front of this key.
    Before(Key),
}

impl Begin {
    pub(super) const fn key(self) -> Option<Key> {
        match self {
            Self::Behind(_) => None,
            Self::After(key) | Self::Before(key) => Some(key),
        }
    }

    /// Whether bookings are in front of those listed, and behind them, if there were more than asked for.
    pub(super) fn neighbours(self, has_more: bool) -> (bool, bool) {
        match self {
            Self::Behind(offset) => (offset > 0, has_more),
            Self::After(_) => (true, has_more),
            Self::Before(key) => (has_more, key != Key::END),
        }
    }
}
