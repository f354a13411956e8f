/** How many times as much as in the usual tests the nightly set does. */
export const scale = Number(process.env['INGOT_FAULT_SCALE'] ?? '1');
