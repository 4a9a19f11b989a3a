//! The CRCs of 16 and 32 bits of the catalogue of parametrised CRC algorithms, under its names.

use crc::Algorithm;

/// `CRC-16/IBM-SDLC` is `ibm-sdlc` here, and `CRC-16/ISO-IEC-14443-3-A` is `iso-iec-14443-3-a`.
pub(super) const OF_16: &[(&str, &Algorithm<u16>)] = &[
    ("arc", &crc::CRC_16_ARC),
    ("cdma2000", &crc::CRC_16_CDMA2000),
    ("cms", &crc::CRC_16_CMS),
    ("dds-110", &crc::CRC_16_DDS_110),
    ("dect-r", &crc::CRC_16_DECT_R),
    ("dect-x", &crc::CRC_16_DECT_X),
    ("dnp", &crc::CRC_16_DNP),
    ("en-13757", &crc::CRC_16_EN_13757),
    ("genibus", &crc::CRC_16_GENIBUS),
    ("gsm", &crc::CRC_16_GSM),
    ("ibm-3740", &crc::CRC_16_IBM_3740),
    ("ibm-sdlc", &crc::CRC_16_IBM_SDLC),
    ("iso-iec-14443-3-a", &crc::CRC_16_ISO_IEC_14443_3_A),
    ("kermit", &crc::CRC_16_KERMIT),
    ("lj1200", &crc::CRC_16_LJ1200),
    ("m17", &crc::CRC_16_M17),
    ("maxim-dow", &crc::CRC_16_MAXIM_DOW),
    ("mcrf4xx", &crc::CRC_16_MCRF4XX),
    ("modbus", &crc::CRC_16_MODBUS),
    ("nrsc-5", &crc::CRC_16_NRSC_5),
    ("opensafety-a", &crc::CRC_16_OPENSAFETY_A),
    ("opensafety-b", &crc::CRC_16_OPENSAFETY_B),
    ("profibus", &crc::CRC_16_PROFIBUS),
    ("riello", &crc::CRC_16_RIELLO),
    ("spi-fujitsu", &crc::CRC_16_SPI_FUJITSU),
    ("t10-dif", &crc::CRC_16_T10_DIF),
    ("teledisk", &crc::CRC_16_TELEDISK),
    ("tms37157", &crc::CRC_16_TMS37157),
    ("umts", &crc::CRC_16_UMTS),
    ("usb", &crc::CRC_16_USB),
    ("xmodem", &crc::CRC_16_XMODEM),
];

pub(super) const OF_32: &[(&str, &Algorithm<u32>)] = &[
    ("aixm", &crc::CRC_32_AIXM),
    ("autosar", &crc::CRC_32_AUTOSAR),
    ("base91-d", &crc::CRC_32_BASE91_D),
    ("bzip2", &crc::CRC_32_BZIP2),
    ("cd-rom-edc", &crc::CRC_32_CD_ROM_EDC),
    ("cksum", &crc::CRC_32_CKSUM),
    ("iscsi", &crc::CRC_32_ISCSI),
    ("iso-hdlc", &crc::CRC_32_ISO_HDLC),
    ("jamcrc", &crc::CRC_32_JAMCRC),
    ("mef", &crc::CRC_32_MEF),
    ("mpeg-2", &crc::CRC_32_MPEG_2),
    ("xfer", &crc::CRC_32_XFER),
];
