//! Bodies whose fields are each declared and read in one place.

/// Declares a body with how each of its fields is read; the fields of the request are called as after `from`. A reader may use
/// the fields before its own.
///
/// ```ignore
/// body! {
///     /// A new label.
///     struct Label from fields {
///         text: Option<String> = fields.text("text", LONGEST),
///         faults: Faults = std::mem::take(&mut fields.faults),
///     }
/// }
/// ```
#[macro_export]
macro_rules! body {
    (
        $(#[$about:meta])*
        $seen:vis struct $name:ident from $fields:ident {
            $($(#[$said:meta])* $field_seen:vis $field:ident: $type:ty = $read:expr,)*
        }
    ) => {
        $(#[$about])*
        $seen struct $name {
            $($(#[$said])* $field_seen $field: $type,)*
        }

        impl $crate::http::Read for $name {
            fn read($fields: &mut $crate::http::Fields) -> Option<Self> {
                $(let $field = $read;)*
                Some(Self { $($field),* })
            }
        }
    };
}
