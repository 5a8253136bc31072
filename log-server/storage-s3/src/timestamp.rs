//! Moments as S3 writes them: `20130524T000000Z` in a signature, `Fri, 24 May 2013 00:00:00 GMT` in a header (RFC 9110 section 5.6.7).

const DAY: u64 = 86_400;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A moment in UTC, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    year: u64,
    /// From 1.
    month: u64,
    /// From 1.
    day: u64,
    second_of_day: u64,
}

/// The moment of Unix seconds in ISO 8601's basic form, as signatures have it.
pub(crate) fn basic(unix_seconds: u64) -> String {
    let Moment { year, month, day, second_of_day } = Moment::at(unix_seconds);
    let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// The Unix seconds of a date in a header; `None` where it is none of the form that is written today.
pub(crate) fn of_header(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let (day, month, year) = (digits(parts.next()?, 2)?, parts.next()?, digits(parts.next()?, 4)?);
    let (time, zone) = (parts.next()?, parts.next()?);
    let month = (1..).zip(MONTHS).find(|(_, name)| *name == month)?.0;
    let mut parts_of_time = time.split(':').map(|part| digits(part, 2));
    let (hour, minute, second) = (parts_of_time.next()??, parts_of_time.next()??, parts_of_time.next()??);
    let is_time = hour < 24 && minute < 60 && second < 61 && parts_of_time.next().is_none();
    let moment = Moment { year, month, day, second_of_day: hour * 3600 + minute * 60 + second.min(59) };
    let seconds = moment.unix_seconds()?;
    (zone == "GMT" && parts.next().is_none() && is_time && Moment::at(seconds) == moment).then_some(seconds)
}

fn digits(text: &str, count: usize) -> Option<u64> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

impl Moment {
    /// Days to a date of the Gregorian calendar, by eras of 400 years that begin in March: then a leap day is the last of its year.
    fn at(unix_seconds: u64) -> Self {
        let days = unix_seconds / DAY + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let day = day_of_year - (153 * from_march + 2) / 5 + 1;
        Self { year, month, day, second_of_day: unix_seconds % DAY }
    }

    /// The way back; `None` before 1970.
    fn unix_seconds(self) -> Option<u64> {
        let year = if self.month <= 2 { self.year.checked_sub(1)? } else { self.year };
        let from_march = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let day_of_year = (153 * from_march + 2) / 5 + self.day.checked_sub(1)?;
        let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year;
        Some(days.checked_sub(719_468)? * DAY + self.second_of_day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (1_369_353_600, "20130524T000000Z"),
            (4_107_542_399, "21000228T235959Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(basic(seconds), expected);
        }
        assert_eq!(of_header("Fri, 24 May 2013 00:00:00 GMT"), Some(1_369_353_600));
        assert_eq!(of_header("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
        for bad in [
            "",
            "Fri, 24 May 2013 00:00:00",
            "Fri, 24 May 2013 00:00:00 CET",
            "Fri, 31 Feb 2013 00:00:00 GMT",
            "Fri, 00 May 2013 00:00:00 GMT",
            "Fri, 24 Mai 2013 00:00:00 GMT",
            "Fri, 24 May 2013 24:00:00 GMT",
            "Fri, 24 May 1969 00:00:00 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Fri, 24 May 2013 00:00:00 GMT ",
        ] {
            assert_eq!(of_header(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_goes_there_and_back() {
        for day in 0..146_097 {
            let moment = Moment::at(day * DAY + 7);
            assert_eq!(moment.unix_seconds(), Some(day * DAY + 7));
        }
    }
}
