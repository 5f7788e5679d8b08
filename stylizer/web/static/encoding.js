/** The worker of encoder.js. */

const canvas = new OffscreenCanvas(2, 2);
const pen = canvas.getContext("2d", { alpha: false, willReadFrequently: true });

onmessage = async ({ data: { number, picture, look } }) => {
  const { width, height, mirror, quality } = look;
  if (canvas.width !== width || canvas.height !== height) {
    [canvas.width, canvas.height] = [width, height];
  }
  pen.setTransform(mirror ? -1 : 1, 0, 0, 1, mirror ? width : 0, 0);
  pen.drawImage(picture, 0, 0, width, height);
  picture.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality });
  const jpeg = await blob.arrayBuffer();
  postMessage({ number, jpeg }, [jpeg]);
};
