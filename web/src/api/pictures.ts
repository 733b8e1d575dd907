/** The widths a stored picture is made in. It is never made wider than it is. */
export type PictureWidth = 320 | 640 | 1280;

/** Where a stored picture is found: as it is stored, or as JPEG and no wider than `width` pixels. */
export function pictureUrl(artifactId: string, width?: PictureWidth): string {
  const address = `/api/artifacts/${encodeURIComponent(artifactId)}`;
  return width === undefined ? address : `${address}?w=${width}`;
}
