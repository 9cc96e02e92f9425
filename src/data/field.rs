//! The fields of rows, by their names in files.

/// A field that a row may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    ProductId,
    UserId,
    PriceList,
    Name,
    Price,
    Value,
    Prices,
    Category,
    Floor,
    Floors,
    Min,
    Step,
    Max,
    MinQuantity,
    Percentage,
    Amount,
    Discounts,
    Products,
    Currency,
    Groups,
    Users,
    Everyone,
    Priority,
    From,
    Until,
    TimeZone,
}

impl Field {
    pub(super) const COUNT: usize = 27;
    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::Id,
        Self::ProductId,
        Self::UserId,
        Self::PriceList,
        Self::Name,
        Self::Price,
        Self::Value,
        Self::Prices,
        Self::Category,
        Self::Floor,
        Self::Floors,
        Self::Min,
        Self::Step,
        Self::Max,
        Self::MinQuantity,
        Self::Percentage,
        Self::Amount,
        Self::Discounts,
        Self::Products,
        Self::Currency,
        Self::Groups,
        Self::Users,
        Self::Everyone,
        Self::Priority,
        Self::From,
        Self::Until,
        Self::TimeZone,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::ProductId => "product_id",
            Self::UserId => "user_id",
            Self::PriceList => "price_list",
            Self::Name => "name",
            Self::Price => "price",
            Self::Value => "value",
            Self::Prices => "prices",
            Self::Category => "category",
            Self::Floor => "floor",
            Self::Floors => "floors",
            Self::Min => "min",
            Self::Step => "step",
            Self::Max => "max",
            Self::MinQuantity => "min_quantity",
            Self::Percentage => "percentage",
            Self::Amount => "amount",
            Self::Discounts => "discounts",
            Self::Products => "products",
            Self::Currency => "currency",
            Self::Groups => "groups",
            Self::Users => "users",
            Self::Everyone => "everyone",
            Self::Priority => "priority",
            Self::From => "from",
            Self::Until => "until",
            Self::TimeZone => "time_zone",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::name)
    }

    /// Whether the field's value is a number.
    pub(super) const fn is_number(self) -> bool {
        use Field::{
            Amount, Floor, Max, Min, MinQuantity, Percentage, Price, Priority, Step, Value,
        };
        matches!(
            self,
            Price | Value | Floor | Min | Step | Max | MinQuantity | Percentage | Amount | Priority
        )
    }

    /// Whether the field's value is an id.
    pub(super) const fn is_id(self) -> bool {
        matches!(self, Self::Id | Self::ProductId | Self::UserId | Self::PriceList)
    }
}
