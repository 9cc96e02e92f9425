//! Enums that know all their variants, and enums whose variants have names.

/// Defines an enum with the constant `ALL`. So a new variant is added in one place.
macro_rules! listed {
    (
        $(#[$meta:meta])*
        $vis:vis enum $Enum:ident {
            $($(#[$of_variant:meta])* $Variant:ident $(= $number:literal)?,)*
        }
    ) => {
        $(#[$meta])*
        $vis enum $Enum {
            $($(#[$of_variant])* $Variant $(= $number)?,)*
        }

        impl $Enum {
            /// All variants, in the order of their definition.
            $vis const ALL: [Self; [$(Self::$Variant),*].len()] = [$(Self::$Variant),*];
        }
    };
}

/// Defines such an enum of which each variant has a name, with the method `name` and a `Display` that writes the name.
macro_rules! named {
    (
        $(#[$meta:meta])*
        $vis:vis enum $Enum:ident {
            $($(#[$of_variant:meta])* $Variant:ident $(= $number:literal)? => $name:literal,)*
        }
    ) => {
        $crate::model::listed! {
            $(#[$meta])*
            $vis enum $Enum {
                $($(#[$of_variant])* $Variant $(= $number)?,)*
            }
        }

        impl $Enum {
            /// Returns the name of the variant.
            #[must_use]
            $vis const fn name(self) -> &'static str {
                match self {
                    $(Self::$Variant => $name,)*
                }
            }
        }

        impl std::fmt::Display for $Enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

pub(crate) use {listed, named};
