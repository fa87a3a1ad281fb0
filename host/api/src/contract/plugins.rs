//! What the HTTP edge asks of the engine about plugins, for the operator.

use engine::{Engine, Error, Plugin};

use super::Soon;

/// The plugins as the HTTP edge sees them.
#[allow(missing_docs)]
pub trait Plugins: Send + Sync + 'static {
    fn plugins(&self) -> Vec<Plugin>;
    fn clear_plugin<'a>(&'a self, name: &'a str) -> Soon<'a, Result<Plugin, Error>>;
}

// The inherent methods of `Engine` go before those of the trait, so none of these calls itself.
impl Plugins for Engine {
    fn plugins(&self) -> Vec<Plugin> {
        Engine::plugins(self)
    }

    fn clear_plugin<'a>(&'a self, name: &'a str) -> Soon<'a, Result<Plugin, Error>> {
        Box::pin(Engine::clear_plugin(self, name))
    }
}
