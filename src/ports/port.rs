//! The definition of a port: its trait lists all its methods.

/// Defines a port, and makes its signatures available to [`layer!`](super::layer).
///
/// The trait is the only list of the port's methods: a new method becomes part of every layer at once. Types
/// must be named as in [`super::prelude`], because layers in other modules repeat them. A port has no default
/// methods, so that the compiler reports an engine that lacks a method.
///
/// The list of signatures is a macro with the name of the port. It passes all methods to
/// [`layer!`](super::layer), and tells it whether two names are equal.
macro_rules! port {
    ($(#[$meta:meta])* pub trait $Port:ident: Send + Sync { $($methods:tt)* }) => {
        $(#[$meta])*
        #[async_trait::async_trait]
        pub trait $Port: Send + Sync { $($methods)* }

        $crate::ports::port! { @list $Port [] $($methods)* }
    };

    // Each method becomes `{ [async] name [argument: type, ...] result }`, one after the other.
    (@list $Port:ident [$($done:tt)*]
        $(#[$meta:meta])*
        async fn $name:ident(&self $(, $argument:ident: $type:ty)* $(,)?) -> $result:ty;
        $($rest:tt)*
    ) => {
        $crate::ports::port! {
            @list $Port [$($done)* { [async] $name [$($argument: $type),*] $result }] $($rest)*
        }
    };
    (@list $Port:ident [$($done:tt)*]
        $(#[$meta:meta])*
        fn $name:ident(&self $(, $argument:ident: $type:ty)* $(,)?) -> $result:ty;
        $($rest:tt)*
    ) => {
        $crate::ports::port! {
            @list $Port [$($done)* { [] $name [$($argument: $type),*] $result }] $($rest)*
        }
    };
    (@list $Port:ident [$($method:tt)*]) => {
        $crate::ports::port! { @define ($) $Port $($method)* }
    };

    // The dollar sign is passed as an argument, because a macro cannot write a literal one into another
    // macro.
    (@define ($dollar:tt) $Port:ident
        $({ $async:tt $name:ident $arguments:tt $result:ty })*
    ) => {
        macro_rules! signatures {
            (@all $dollar($dollar to:tt)*) => {
                $crate::ports::layer! {
                    $dollar($dollar to)* [$({ $async $name $arguments $result })*]
                }
            };
            $((@same $name $name $dollar($dollar to:tt)*) => {
                $crate::ports::layer! { @own $dollar($dollar to)* }
            };)*
            (@same $dollar a:ident $dollar b:ident $dollar($dollar to:tt)*) => {
                $crate::ports::layer! { @forward $dollar($dollar to)* }
            };
        }
        pub(crate) use signatures as $Port;
    };
}

pub(crate) use port;
