//! What a witness is asked.

/// A call to a witness.
#[derive(Clone, Copy)]
pub enum Call<'a> {
    /// `POST add-checkpoint` with this body.
    Add(&'a [u8]),
    /// `POST add-transition` with this body.
    Step(&'a [u8]),
    /// `GET <origin hash>/checkpoint`.
    Newest,
}

/// A request that arrives later.
#[derive(Clone, Debug)]
pub struct InFlight {
    /// Whom it is for.
    pub witness: usize,
    /// Whether it is `add-transition`, and not `add-checkpoint`.
    pub is_step: bool,
    /// Its body.
    pub body: Vec<u8>,
}
