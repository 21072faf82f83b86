//! Percent-encoding (RFC 3986, section 2.1).

/// Decodes the sequence at the start of a text, such as `%40`. Returns the byte and the rest of the text, or `None` if the
/// text does not start with a complete sequence.
pub(crate) fn decode_first(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.strip_prefix(b"%")?.split_first_chunk::<2>()?;
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let [high, low] = digits.map(digit);
    Some((high? * 16 + low?, rest))
}
